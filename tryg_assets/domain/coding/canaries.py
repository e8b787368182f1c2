"""Canaries: fixed pages that every version of an engine is asked about, so that a change of its answers is seen at once.

They are kept in the state database with their texts, so that a website that changes changes no canary. A version is an engine's
codebook hash, which covers word lists, prompts, schema and model. A version is asked once; its answers are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from tryg_assets.clock import Clock
from tryg_assets.domain.coding.interface import Coder, Page
from tryg_assets.domain.coding.panel import Answer, answers, pages_of_choice
from tryg_assets.errors import TrygError
from tryg_assets.state import canary, canary_answer, locked

COUNT = 50


class Canaries:
    """The canaries of one state database."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self.engine, self.clock = engine, clock

    def choose(
        self, page_ids: Iterable[str], read: Callable[[Sequence[str]], Iterable[Mapping[str, Any]]]
    ) -> None:
        """Choose canaries among ``page_ids`` until there are 50; those there are stay.

        ``read`` returns the rows of ``raw_crawl`` of the pages it is given.
        """
        with locked(self.engine, canary) as connection:
            there = set(connection.execute(sa.select(canary.c.page_id)).scalars())
            wanted = pages_of_choice(set(page_ids) - there, COUNT - len(there)) if len(there) < COUNT else []
            now = self.clock().isoformat()
            names = ("page_id", "municipality", "url", "title", "text")
            rows = [{name: row[name] for name in names} | {"chosen_at": now} for row in read(wanted)]
            if rows:
                connection.execute(canary.insert(), rows)

    def pages(self) -> list[Page]:
        """Return the canaries, sorted by id."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(canary).order_by(canary.c.page_id)).all()
        return [Page.of(row.page_id, row.municipality, row.url, row.title, row.text) for row in rows]

    def ask(self, engine: Coder) -> list[dict[str, Any]]:
        """Ask this version of ``engine`` what it was not asked yet; returns rows of ``canaries``, compared with the version before.

        An engine that cannot be asked now (no key, no budget, no server) gives rows without an answer that say why.
        """
        pages, version = self.pages(), engine.codebook_hash
        known = self.answers(engine.engine, version)
        reason = ""
        try:
            asked = answers(engine, [page for page in pages if page.page_id not in known])
            self._store(engine.engine, version, asked)
            known |= {answer.page_id: answer for answer in asked}
        except TrygError as problem:
            reason = str(problem)
        earlier = self._version_before(engine.engine, version)
        before = self.answers(engine.engine, earlier) if earlier else {}
        return [_row(page, engine.engine, earlier, version, before, known, reason) for page in pages]

    def answers(self, engine: str, version: str) -> dict[str, Answer]:
        """Return what a version of an engine answered, by page."""
        query = (
            sa.select(canary_answer, canary.c.url)
            .join(canary, canary.c.page_id == canary_answer.c.page_id)
            .where(canary_answer.c.engine == engine, canary_answer.c.version == version)
        )
        with self.engine.connect() as connection:
            return {
                row.page_id: Answer(
                    row.page_id,
                    row.url,
                    row.is_initiative,
                    tuple(filter(None, row.focus_areas.split("|"))),
                    row.rationale,
                )
                for row in connection.execute(query)
            }

    def _version_before(self, engine: str, version: str) -> str | None:
        """Return the version that was first asked last before this one."""
        first_asked = sa.func.min(canary_answer.c.answered_at)
        query = (
            sa.select(canary_answer.c.version, first_asked)
            .where(canary_answer.c.engine == engine)
            .group_by(canary_answer.c.version)
            .order_by(first_asked, canary_answer.c.version)
        )
        with self.engine.connect() as connection:
            versions = [row.version for row in connection.execute(query)]
        place = versions.index(version) if version in versions else len(versions)
        return versions[place - 1] if place else None

    def _store(self, engine: str, version: str, asked: Iterable[Answer]) -> None:
        now = self.clock().isoformat()
        rows = [
            {
                "engine": engine,
                "version": version,
                "page_id": answer.page_id,
                "is_initiative": answer.is_initiative,
                "focus_areas": "|".join(answer.focus_areas),
                "rationale": answer.rationale,
                "answered_at": now,
            }
            for answer in asked
        ]
        known = sa.select(canary_answer.c.page_id).where(
            canary_answer.c.engine == engine, canary_answer.c.version == version
        )
        with locked(self.engine, canary_answer) as connection:
            there = set(connection.execute(known).scalars())  # another publication may have asked meanwhile
            if fresh := [row for row in rows if row["page_id"] not in there]:
                connection.execute(canary_answer.insert(), fresh)


def _row(
    page: Page,
    engine: str,
    earlier: str | None,
    version: str,
    before: Mapping[str, Answer],
    now: Mapping[str, Answer],
    reason: str,
) -> dict[str, Any]:
    old, new = before.get(page.page_id), now.get(page.page_id)
    return {
        "page_id": page.page_id,
        "municipality": page.municipality,
        "url": page.url,
        "engine": engine,
        "version_before": earlier,
        "version": version,
        "before": old.is_initiative if old else None,
        "now": new.is_initiative if new else None,
        "areas_before": list(old.focus_areas) if old else [],
        "areas_now": list(new.focus_areas) if new else [],
        "changed": None
        if old is None or new is None
        else (old.is_initiative, old.focus_areas) != (new.is_initiative, new.focus_areas),
        "rationale": new.rationale if new else reason,
    }
