"""What people answered, in the state database: append-only, the latest version of an answer counts, the others stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tryg_assets.domain.review.answers import Answer, KnownPage, Quote, Reply
from tryg_assets.ids import stable_id
from tryg_assets.state import assignments, codings, gold_answers, replies

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """The file answers came in."""

    file: str
    sha256: str
    moment: datetime

    @property
    def columns(self) -> dict[str, str]:
        """The columns every answer carries about its file."""
        return {"file": self.file, "file_sha256": self.sha256, "answered_at": self.moment.isoformat()}


@dataclass(frozen=True, slots=True)
class Stored:
    """How many answers were new, how many changed an earlier one, how many were there already."""

    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Coding:
    """A stored answer about a page; ``id`` grows with every answer stored."""

    id: int
    kind: str
    coder: str
    page_id: str
    municipality: str
    url: str
    text_sha256: str
    decision: str
    areas: Mapping[str, str]
    quotes: tuple[Quote, ...]
    comment: str
    version: int
    answered_at: datetime


def store_codings(
    state: sa.Engine,
    kind: str,
    coder: str,
    answers: Iterable[Answer],
    known: Mapping[str, KnownPage],
    source: Source,
) -> Stored:
    """Store one person's answers of one file, all or none. ``kind`` is coding or adjudication.

    An answer equal to the person's latest, or already taken from this very file, is left alone: reading a file twice
    changes nothing, even after a later file.
    """

    def contents() -> Iterator[tuple[str, Row, Row]]:
        for answer in answers:
            page = known[answer.page_id]
            yield (
                answer.page_id,
                {"municipality": page.municipality, "url": page.url},
                {
                    "text_sha256": answer.text_sha256,
                    "decision": answer.decision,
                    "areas": dict(answer.areas),
                    "quotes": [asdict(quote) for quote in answer.quotes],
                    "comment": answer.comment,
                },
            )

    return _append(state, codings, {"kind": kind, "coder": coder}, "page_id", contents(), source)


def store_replies(state: sa.Engine, municipality: str, given: Iterable[Reply], source: Source) -> Stored:
    """Store a municipality's reply, all or none, by the rules of :func:`store_codings`."""
    contents: Iterator[tuple[str, Row, Row]] = (
        (reply.initiative_id or stable_id(municipality, reply.name, reply.link), {}, asdict(reply))
        for reply in given
    )
    return _append(state, replies, {"municipality": municipality}, "subject", contents, source)


def _append(
    state: sa.Engine,
    table: sa.Table,
    who: Mapping[str, str],
    key: str,
    contents: Iterable[tuple[str, Row, Row]],
    source: Source,
) -> Stored:
    """Append what is new in ``contents`` (subject, facts about it, answer) to what ``who`` has answered before."""
    count = {"new": 0, "changed": 0, "unchanged": 0}
    with state.begin() as connection:
        mine = sa.and_(*(table.c[name] == value for name, value in who.items()))
        earlier: dict[str, list[Mapping[str, Any]]] = {}
        for row in connection.execute(sa.select(table).where(mine).order_by(table.c.version)).mappings():
            earlier.setdefault(row[key], []).append(dict(row))
        for subject, facts, answer in contents:
            versions = earlier.setdefault(subject, [])
            outcome = _outcome(answer, versions, source)
            count[outcome] += 1
            if outcome != "unchanged":
                new = {**who, key: subject, "version": len(versions) + 1, **facts, **answer, **source.columns}
                connection.execute(table.insert().values(new))
                versions.append(new)
    return Stored(**count)


def _outcome(answer: Row, versions: list[Mapping[str, Any]], source: Source) -> str:
    same = [row for row in versions if all(row[name] == value for name, value in answer.items())]
    if same and (same[-1] is versions[-1] or any(row["file_sha256"] == source.sha256 for row in same)):
        return "unchanged"
    return "changed" if versions else "new"


def latest_codings(state: sa.Engine, current: Mapping[str, str]) -> list[Coding]:
    """Return each person's latest answer about each page, sorted; ``current`` is the hash of each page's text by id.

    An answer about a text that the page no longer has is left out: nobody has coded the page as it is now.
    """
    with state.connect() as connection:
        rows = connection.execute(sa.select(codings).order_by(codings.c.version)).mappings().all()
    latest = {(row["kind"], row["page_id"], row["coder"]): row for row in rows}
    return [
        Coding(
            **{name: row[name] for name in Coding.__slots__ if name not in ("quotes", "answered_at")},
            quotes=tuple(Quote(**quote) for quote in row["quotes"]),
            answered_at=datetime.fromisoformat(row["answered_at"]),
        )
        for _, row in sorted(latest.items())
        if current.get(row["page_id"]) == row["text_sha256"]
    ]


def store_gold(state: sa.Engine, prefix: str, answers: Iterable[Mapping[str, Any]], moment: datetime) -> str:
    """Freeze ``answers`` as the next gold version, ``<prefix>-<number>``, and return its name; it is never written again."""
    with state.begin() as connection:
        there = connection.execute(sa.select(gold_answers.c.gold_version).distinct()).all()
        version = f"{prefix}-{len(there) + 1}"
        rows = [{**answer, "gold_version": version, "made_at": moment.isoformat()} for answer in answers]
        connection.execute(gold_answers.insert(), rows)
    return version


def gold_versions(state: sa.Engine) -> dict[str, list[dict[str, Any]]]:
    """Return the frozen gold versions by name, oldest first, each with its answers sorted by page."""
    order = (gold_answers.c.made_at, sa.func.length(gold_answers.c.gold_version), gold_answers.c.gold_version)
    with state.connect() as connection:
        rows = (
            connection.execute(sa.select(gold_answers).order_by(*order, gold_answers.c.page_id))
            .mappings()
            .all()
        )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["gold_version"], []).append(dict(row))
    return found


def store_assignments(state: sa.Engine, reviewer: str, pages: Iterable[str], moment: datetime) -> None:
    """Note that pages went out to a reviewer; those noted before keep their moment."""
    with state.begin() as connection:
        there = {page for (page,) in connection.execute(_pages_of(reviewer))}
        rows = [
            {"reviewer": reviewer, "page_id": page, "exported_at": moment.isoformat()}
            for page in sorted(set(pages) - there)
        ]
        if rows:
            connection.execute(assignments.insert(), rows)


def _pages_of(reviewer: str) -> sa.Select[str]:
    return sa.select(assignments.c.page_id).where(assignments.c.reviewer == reviewer)


def assigned(state: sa.Engine) -> dict[str, set[str]]:
    """Return the pages that went out, by reviewer."""
    found: dict[str, set[str]] = {}
    with state.connect() as connection:
        for reviewer, page in connection.execute(sa.select(assignments.c.reviewer, assignments.c.page_id)):
            found.setdefault(reviewer, set()).add(page)
    return dict(sorted(found.items()))


def latest_replies(state: sa.Engine) -> list[dict[str, Any]]:
    """Return rows of ``municipality_replies``: each municipality's latest answer about each initiative, sorted."""
    with state.connect() as connection:
        rows = connection.execute(sa.select(replies).order_by(replies.c.version)).mappings().all()
    latest = {(row["municipality"], row["subject"]): row for row in rows}
    return [
        {
            "reply_id": stable_id(row["municipality"], row["subject"]),
            **{name: row[name] for name in ("municipality", "initiative_id", "name", "answer")},
            "link": row["link"] or None,
            "comment": row["comment"] or None,
            "replied_on": datetime.fromisoformat(row["answered_at"]).date(),
        }
        for _, row in sorted(latest.items())
    ]


def review_version(state: sa.Engine) -> str:
    """Return a version of everything people answered, for telling whether numbers made from it are old."""
    with state.connect() as connection:
        counts = [
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (codings, gold_answers, replies)
        ]
    return stable_id(*map(str, counts))
