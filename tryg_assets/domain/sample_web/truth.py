"""The truth about the sample Denmark, as tables beside it: what each page is and what should become of it.

These are the authors' intentions, not findings: see ``data/sample_web/README.md`` and ``data/gold/README.md``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tryg_assets import paths
from tryg_assets.domain.sample_web.pages import SamplePage
from tryg_assets.domain.sample_web.plan import plan
from tryg_assets.domain.sample_web.texts import Text, held_out, material
from tryg_assets.storage import write_text

CODER = "forfatterne af eksempelteksterne"
CODED_ON = "2026-11-21"
_TRUTH = ("municipality", "url", "kind", "text_id", "hit", "verdict", "reason", "duplicate_of", "held_out")
_CODINGS = (
    *("municipality", "url", "is_initiative", "focus_areas", "coder", "coder_kind", "held_out", "coded_on"),
    *("themes", "initiatives"),
)
_ACTORS = ("municipality", "url", "surface", "role", "subcategory")


def truth_files() -> dict[Path, str]:
    """Return the three tables as CSV, by where they belong."""
    pages = sorted(
        (page for site in plan().values() for page in site.pages.values()),
        key=lambda page: (page.municipality, page.url),
    )
    kept = [page for page in pages if page.hit and page.reason is None]
    return {
        paths.SAMPLE_WEB / "truth.csv": _csv(_TRUTH, (_truth_row(page) for page in pages)),
        paths.GOLD / "sample_denmark_reference.csv": _csv(_CODINGS, (_coding_row(page) for page in kept)),
        paths.GOLD / "actors" / "sample_denmark_actors.csv": _csv(
            _ACTORS, (row for page in kept for row in _actor_rows(page))
        ),
    }


def write_truth() -> list[Path]:
    """Write the three tables; returns where they are."""
    files = truth_files()
    for path, content in files.items():
        write_text(path, content)
    return list(files)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue()


def _flag(value: bool) -> str:
    return "true" if value else "false"


def page_held_out(page: SamplePage) -> bool:
    """Whether a page is in the held-out third: by its text; by its address if it has no text of its own."""
    return held_out(page.text_id or page.url)


def _truth_row(page: SamplePage) -> tuple[str, ...]:
    verdict = "" if not page.hit else "kept" if page.reason is None else "dropped"
    return (
        *(
            page.municipality,
            page.url,
            page.kind,
            page.text_id or "",
            _flag(page.hit),
            verdict,
            page.reason or "",
        ),
        *(page.duplicate_of or "", _flag(page_held_out(page))),
    )


def _initiative(page: SamplePage) -> Text | None:
    text = material().texts.get(page.text_id or "")
    return text if text is not None and text.label == "initiative" else None


def _coding_row(page: SamplePage) -> tuple[str, ...]:
    text = _initiative(page)
    fill = material().places[page.municipality].fill
    return (
        *(page.municipality, page.url, "yes" if text else "no", "|".join(text.areas) if text else ""),
        *(CODER, "sample_reference", _flag(page_held_out(page)), CODED_ON),
        "|".join(text.themes) if text else "",
        "|".join(fill(name) for name in text.initiatives) if text else "",
    )


def _actor_rows(page: SamplePage) -> Iterator[tuple[str, ...]]:
    """Yield the actors of an initiative that are named on this page (a news page names fewer than the main page)."""
    text = _initiative(page)
    if text is None:
        return
    fill = material().places[page.municipality].fill
    low = page.text.lower()
    for actor in text.actors:
        surface = fill(actor.surface)
        if surface.lower() in low:
            yield page.municipality, page.url, surface, actor.role, actor.subcategory
