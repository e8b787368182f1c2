"""A page as a reviewer sees it: numbered sentences, cut to what a cell holds, and an id that seals the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from tryg_assets.domain.coding.sentences import split_sentences
from tryg_assets.ids import stable_id

# Excel holds 32,767 UTF-16 units in a cell; the rest is room for the line that says what was cut.
CELL = 32_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """A page to be coded. ``sentences`` are as shown: masked, without control characters; the first is number 1."""

    page_id: str
    municipality: str
    municipality_name: str
    url: str
    title: str
    archive_record: str
    read_on: date
    text_sha256: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """The numbered text as it stands in a cell.

        A text longer than a cell loses its last sentences, and says how many; the copy beside the workbook has all.
        """
        return "\n".join(_fitting(self.numbered))

    @property
    def numbered(self) -> list[str]:
        """Every sentence with its number."""
        return [f"[S{number}] {sentence}" for number, sentence in enumerate(self.sentences, 1)]

    @property
    def row_id(self) -> str:
        """The id of the page's row, which also seals the text shown (:func:`sealed`)."""
        return sealed(self.page_id, self.text_sha256[:16], self.text)


def sealed(subject: str, version: str, shown: str) -> str:
    """Return a row's id: what it is about, in which version, and a checksum over both and the text shown.

    White space does not count, since spreadsheet programs change it when they save.
    """
    squeezed = " ".join(unicodedata.normalize("NFC", shown).split())
    return f"{subject}-{version}-{stable_id(subject, version, squeezed)[:8]}"


def plain(text: str) -> str:
    """Return ``text`` without characters that a spreadsheet cannot hold."""
    return _CONTROL.sub(" ", text)


def review_pages(
    raw: Iterable[Mapping[str, Any]], names: Mapping[str, str], mask: Callable[[str], str]
) -> dict[str, ReviewPage]:
    """Return rows of ``raw_crawl`` as reviewers see them, by page_id.

    ``names`` are the municipalities' names by slug; ``mask`` is applied to title and text before anybody sees them.
    """
    return {
        row["page_id"]: ReviewPage(
            page_id=row["page_id"],
            municipality=row["municipality"],
            municipality_name=names.get(row["municipality"], row["municipality"]),
            url=row["url"],
            title=plain(mask(row["title"])),
            archive_record=row["archive_record"],
            read_on=row["crawled_at"].date(),
            text_sha256=row["text_sha256"],
            sentences=tuple(
                plain(mask(sentence.text)).replace("\n", " ") for sentence in split_sentences(row["text"])
            ),
        )
        for row in raw
    }


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fitting(lines: list[str]) -> list[str]:
    """Return as many lines as a cell holds; a first sentence too long for one is cut itself."""
    used = 0
    for number, line in enumerate(lines):
        used += _units(line) + 1
        if used > CELL:
            kept = lines[:number] or [line[: CELL // 2]]
            return [*kept, f"[Afkortet: {len(lines) - number} sætninger mere i kopien af siden.]"]
    return lines
