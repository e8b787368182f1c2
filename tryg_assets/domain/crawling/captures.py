"""Finding in the archive what an address answered on a given day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rapidfuzz import process

from tryg_assets.domain.crawling import warc
from tryg_assets.domain.crawling.addresses import AddressBook
from tryg_assets.domain.crawling.cdxj import REVISIT, Capture, index_path, read_index, sort_key
from tryg_assets.domain.sites import Site


@dataclass(frozen=True, slots=True)
class Found:
    """What an address answered at one moment: ``body`` is what was read then, also if it lies in an earlier file.

    ``capture`` is the answer itself, ``kept`` the one whose record holds the body (the same unless the page was
    unchanged; ``None`` if that record is no longer there). ``headers`` are those of ``kept``.
    """

    capture: Capture
    kept: Capture | None
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, empty if it was not sent."""
        return next((value for known, value in self.headers if known.lower() == name), "")


class Captures:
    """The archive of one site."""

    def __init__(self, folder: Path, site: Site, book: AddressBook) -> None:
        self._home, self._book = folder / site.slug, book
        self._finished = [path for path in sorted(self._home.glob("*.warc.gz")) if index_path(path).exists()]

    def days(self, url: str) -> list[date]:
        """Return the days on which ``url`` was answered for, oldest first."""
        return sorted({capture.moment.date() for capture in self._of(url)})

    def find(self, url: str, until: date | None = None) -> Found | None:
        """Return the latest answer for ``url`` up to the end of the day ``until`` (UTC); ``None`` without any."""
        captures = [capture for capture in self._of(url) if until is None or capture.moment.date() <= until]
        if not captures:
            return None
        latest = captures[-1]
        kept: Capture | None = latest
        if latest.mime == REVISIT:
            kept = next((capture for capture in reversed(captures) if _holds(capture, latest)), None)
        try:
            _, raw, body = self._read(kept or latest)
        except (OSError, ValueError):
            return Found(latest, None, (), b"")
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)
        return Found(latest, kept, headers, body)

    def near(self, url: str, most: int = 5) -> list[str]:
        """Return the addresses of the latest crawl that look most like ``url``, likest first."""
        known = sorted({capture.url for capture in read_index(self._finished[-1])}) if self._finished else []
        return [found for found, _, _ in process.extract(url, known, limit=most, score_cutoff=60)]

    def _of(self, url: str) -> list[Capture]:
        """Return all answers for ``url``, oldest first; those of twins (``www``, slash) count as its own."""
        prefix = f"{sort_key(url)} "
        found: list[Capture] = []
        for path in self._finished:
            # Most indexes of most days do not have the address: search the text before reading its lines.
            if prefix in index_path(path).read_text(encoding="utf-8"):
                found += [capture for capture in read_index(path) if self._book.canonical(capture.url) == url]
        return found

    def _read(self, capture: Capture) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        return warc.read_at(self._home / capture.filename, capture.offset, capture.length).http()


def _holds(capture: Capture, revisit: Capture) -> bool:
    """Whether ``capture`` holds the body that ``revisit`` says is unchanged."""
    same = revisit.digest is None or capture.digest == revisit.digest
    return capture.mime != REVISIT and capture.status == "200" and same
