"""What was made from what, by which rules: so that a second run does only what has changed.

Three versions, from narrow to wide: how a page is read, how a site's tables are derived, how the national numbers and
the report are made. A change of rules or code under one of them makes that step, and those after it, run again.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tryg_assets import paths
from tryg_assets.ids import content_hash, stable_id
from tryg_assets.storage import write_text

_PACKAGE = Path(__file__).parent


def _version(files: Iterable[Path]) -> str:
    return stable_id(*(f"{path.name}:{content_hash(path.read_bytes())}" for path in sorted(files)))


@functools.cache
def reading_version() -> str:
    """Return the version of how pages are read; kept readings of an older one are not reused."""
    rules = (paths.CODEBOOK / name for name in ("crawling.yml", "dates.yml", "walls.yml"))
    return _version([*rules, *(_PACKAGE / "domain" / "crawling").glob("*.py")])


@functools.cache
def deriving_version() -> str:
    """Return the version of how a site's tables are derived from what was read."""
    files = [
        *paths.CODEBOOK.glob("*"),
        *paths.DATA.glob("privacy.yml"),
        *paths.REFERENCE.glob("*.yml"),
        *(_PACKAGE / "domain").rglob("*.py"),
    ]
    return _version([*files, *(_PACKAGE / "contracts").glob("*.*")])


@functools.cache
def country_version() -> str:
    """Return the version of how the national numbers and the report are made."""
    files = [*paths.REFERENCE.rglob("*.csv"), *paths.GOLD.rglob("*.csv"), *paths.SQL.rglob("*.*")]
    return _version(
        [
            *files,
            *_PACKAGE.rglob("*.py"),
            *(_PACKAGE / "domain" / "reporting").rglob("*.*"),
            *paths.CODEBOOK.glob("*"),
            paths.DATA / "prices.yml",
            paths.DATA / "privacy.yml",
        ]
    )


def content_version(raw: pl.DataFrame) -> str:
    """Return a version of what was read, whenever it was read: later stages need not run again if it is the same."""
    return content_hash(raw.sort("page_id").drop("archive_record", "crawled_at").write_json())[:16]


@dataclass(frozen=True, slots=True)
class Stamps:
    """The stamps under ``TRYG_HOME/crawl_state`` of one engine and, if it asks one, its model (and whose, if not Anthropic's)."""

    home: Path
    engine: str
    model: str = ""

    @property
    def _folder(self) -> Path:
        return self.home / "crawl_state"

    def failure_note(self, slug: str) -> Path:
        """Return where the reason of a site's latest failed run is kept."""
        return self._folder / f"{slug}.failure.txt"

    def failures(self, slugs: Iterable[str]) -> dict[str, str]:
        """Return why the latest run of a site failed, for those of ``slugs`` where it did."""
        notes = {slug: self.failure_note(slug) for slug in slugs}
        return {slug: note.read_text(encoding="utf-8") for slug, note in notes.items() if note.exists()}

    def derived(self, slug: str) -> Path:
        """Return where it is kept from what a site's derived tables were made."""
        return self._folder / f"{slug}.derived.{self.engine}.txt"

    def stamp_derived(self, slug: str, raw: pl.DataFrame) -> None:
        """Note that everything derived of a site is made from ``raw`` by today's rules."""
        write_text(self.derived(slug), self._derived_from(raw))

    def is_derived(self, slug: str, raw: pl.DataFrame) -> bool:
        """Whether everything derived of a site is made from ``raw`` by today's rules."""
        return _content(self.derived(slug)) == self._derived_from(raw)

    def _derived_from(self, raw: pl.DataFrame) -> str:
        return " ".join(filter(None, (deriving_version(), self.model, content_version(raw))))

    def _country(self, slugs: Iterable[str], *parts: str) -> str:
        states = (
            f"{slug} {_content(self.derived(slug))} {_content(self.failure_note(slug))}"
            for slug in sorted(slugs)
        )
        return stable_id(country_version(), *parts, *states)

    def stamp_country(self, slugs: Iterable[str], *parts: str) -> None:
        """Note that the report is made from the derived tables of ``slugs`` as they are now, and from ``parts``."""
        write_text(self._folder / f"country.{self.engine}.txt", self._country(slugs, *parts))

    def is_country_made(self, slugs: Iterable[str], *parts: str) -> bool:
        """Whether the report is made from the derived tables of ``slugs`` as they are now, and from ``parts``."""
        return _content(self._folder / f"country.{self.engine}.txt") == self._country(slugs, *parts)


def _content(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
