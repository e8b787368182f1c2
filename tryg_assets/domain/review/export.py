"""What goes out to people: coding workbooks or Label Studio tasks, the adjudication sheet, replies. Into the outbox."""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

import polars as pl

from tryg_assets.domain.reference import focus_areas
from tryg_assets.domain.reporting.html import environment
from tryg_assets.domain.review import label_studio, store
from tryg_assets.domain.review.adjudication import waiting
from tryg_assets.domain.review.dealing import deal, in_order
from tryg_assets.domain.review.desk import Desk
from tryg_assets.domain.review.pages import ReviewPage
from tryg_assets.domain.review.words import review_words
from tryg_assets.domain.review.workbook import (
    Origin,
    Voices,
    write_adjudication,
    write_coding,
    write_reply,
)
from tryg_assets.errors import ConfigurationError
from tryg_assets.storage import write_text

Format = Literal["xlsx", "label-studio"]
_NAME = re.compile(r"[^\W_][\w .@-]{0,59}")
_LETTERS = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "é": "e", "ü": "u"})


def export_coding(desk: Desk, reviewers: Sequence[str], overlap: int | None, format: Format) -> list[Path]:
    """Write one file per reviewer with the sampled pages he or she has not answered yet; returns the files.

    ``overlap`` pages go to two coders, ``None`` means all (:func:`deal`). The same sample and answers give the same bytes.

    Raises:
        ConfigurationError: a name cannot be used, or there is no sample yet.
    """
    names = [checked_name(name) for name in dict.fromkeys(reviewers)]
    pages = desk.pages(desk.sample())
    answered = {(entry.coder, entry.page_id) for entry in desk.codings() if entry.kind == "coding"}
    written: list[Path] = []
    for reviewer, dealt in deal(pages, names, overlap, desk.seed).items():
        store.store_assignments(desk.state, reviewer, dealt, desk.clock())
        left = [pages[page] for page in dealt if (reviewer, page) not in answered]
        if left:
            write = _coding_files(desk, reviewer, left, format)
            written.append(_in_outbox(desk, f"kodning-{_file_name(reviewer)}", write))
    return written


def _coding_files(
    desk: Desk, reviewer: str, pages: list[ReviewPage], format: Format
) -> Callable[[Path], Path]:
    origin = Origin("coding", reviewer, desk.corpus, _newest(pages))

    def write(stem: Path) -> Path:
        if format == "label-studio":
            write_text(_with(stem, "-label-config.xml"), label_studio.labelling_config())
            write_text(_with(stem, ".json"), label_studio.tasks(pages, origin))
            return _with(stem, ".json")
        write_text(_with(stem, "-sider.html"), copies_html(pages))
        write_coding(_with(stem, ".xlsx"), pages, origin, f"{stem.name}-sider.html")
        return _with(stem, ".xlsx")

    return write


def export_adjudication(desk: Desk, adjudicator: str) -> list[Path]:
    """Write the sheet of the disagreements that wait, with both answers and the engine's; no file if none waits.

    Raises:
        ConfigurationError: the name cannot be used.
    """
    name = checked_name(adjudicator)
    open_cases = {entry.page_id: entry for entry in waiting(desk.codings())}
    if not open_cases:
        return []
    pages = desk.pages(open_cases)
    engine = {
        row["page_id"]: engine_voice(row)
        for row in desk.lake.scan("page_codings")
        .filter(pl.col("page_id").is_in(list(open_cases)))
        .collect()
        .iter_rows(named=True)
    }
    voices = {}
    for page_id, case in open_cases.items():
        said = [coding_voice(entry) for entry in case.codings]
        voices[page_id] = Voices(said[0], "\n\n".join(said[1:]), engine.get(page_id, "Ikke kodet."))
    ordered = [pages[page] for page in in_order(pages, name, desk.seed)]
    origin = Origin("adjudication", name, desk.corpus, _newest(ordered))

    def write(stem: Path) -> Path:
        write_text(_with(stem, "-sider.html"), copies_html(ordered))
        write_adjudication(_with(stem, ".xlsx"), ordered, voices, origin, f"{stem.name}-sider.html")
        return _with(stem, ".xlsx")

    return [_in_outbox(desk, f"afgoerelse-{_file_name(name)}", write)]


def export_replies(desk: Desk, municipalities: Iterable[str]) -> list[Path]:
    """Write one reply sheet per municipality with what was found about it.

    Raises:
        ConfigurationError: a municipality is not in the list of sites.
    """
    found = desk.lake.scan("classified_initiatives").collect().sort("municipality", "name", "initiative_id")
    written = []
    for slug in municipalities:
        if slug not in desk.names:
            raise ConfigurationError(f"There is no municipality '{slug}' in the list of sites.")
        own = found.filter(pl.col("municipality") == slug)
        rows = [
            {**row, "name": desk.mask(row["name"]), "quote": desk.mask(row["quote"])}
            for row in own.iter_rows(named=True)
        ]
        day = max((row["last_seen"] for row in rows), default=date(2000, 1, 1))
        origin = Origin("reply", slug, desk.corpus, day)

        def write(stem: Path, rows: list[dict[str, Any]] = rows, origin: Origin = origin) -> Path:
            write_reply(_with(stem, ".xlsx"), rows, origin)
            return _with(stem, ".xlsx")

        written.append(_in_outbox(desk, f"svar-{slug}", write))
    return written


def coding_voice(entry: store.Coding) -> str:
    """Return what a person answered, in words."""
    return _voice(
        entry.coder,
        entry.decision,
        [area for area, value in entry.areas.items() if value == "yes"],
        entry.comment,
    )


def engine_voice(row: dict[str, Any]) -> str:
    """Return what an engine answered (a row of ``page_codings``), in words."""
    quote = f"»{row['quote']}« " if row["quote"] else ""
    return _voice(row["engine"], row["is_initiative"], row["focus_areas"], f"{quote}{row['rationale']}")


def _voice(who: str, decision: str, areas: Iterable[str], more: str) -> str:
    names = focus_areas()
    lines = [f"{who}: {review_words().label('decision', decision)}"]
    lines += [f"Områder: {', '.join(names[area].name for area in areas)}"] if areas else []
    return "\n".join([*lines, more] if more else lines)


def copies_html(pages: Iterable[ReviewPage]) -> str:
    """Return the page that lies beside a workbook: every text whole, in the order of page ids."""
    ordered = sorted(pages, key=lambda page: page.page_id)
    return environment().get_template("copies.html.j2").render(pages=ordered)


def checked_name(name: str) -> str:
    """Return a person's name as it is stored.

    Raises:
        ConfigurationError: it is empty, too long or has signs a file name cannot have.
    """
    squeezed = " ".join(name.split())
    if not _NAME.fullmatch(squeezed):
        raise ConfigurationError(
            f"'{name}' cannot be a reviewer's name: begin with a letter or digit, use at most 60 letters, digits, spaces and . @ _ -."
        )
    return squeezed


def _file_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold().translate(_LETTERS)).strip("-") or "x"


def _with(stem: Path, ending: str) -> Path:
    return stem.with_name(stem.name + ending)


def _newest(pages: Iterable[ReviewPage]) -> date:
    return max(page.read_on for page in pages)


def _in_outbox(desk: Desk, name: str, write: Callable[[Path], Path]) -> Path:
    """Write files into the outbox and return the main one.

    A file that lies there may have answers typed into it, so another content gets the next free name.
    """
    outbox = desk.folder / "outbox"
    outbox.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        stem = name if number == 1 else f"{name}-{number}"
        with tempfile.TemporaryDirectory(dir=outbox, prefix=".") as folder:
            main = write(Path(folder) / stem)
            target = outbox / main.name
            if target.exists() and target.read_bytes() != main.read_bytes():
                continue
            for made in sorted(Path(folder).iterdir()):
                made.replace(outbox / made.name)
            return target
    raise AssertionError("unreachable")
