"""The corpus: which sites are read, with what manners, by which engine, at what time."""

from __future__ import annotations

import time
from pathlib import Path

import dagster as dg
import polars as pl

from tryg_assets import __version__, paths
from tryg_assets.clock import Clock, system_clock
from tryg_assets.contracts import contracts
from tryg_assets.domain.coding import coder
from tryg_assets.domain.coding.interface import Coder
from tryg_assets.domain.crawling.archive import Archive
from tryg_assets.domain.crawling.crawl import CrawlResult, Previous, crawl
from tryg_assets.domain.crawling.fetch import Fetcher
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.domain.sites import Site
from tryg_assets.errors import SiteUnreachable
from tryg_assets.ids import content_hash, stable_id
from tryg_assets.partitions import sites_of
from tryg_assets.settings import Settings, load_settings
from tryg_assets.storage import Lake, write_text


def content_version(raw: pl.DataFrame) -> str:
    """Return a version of what was read, whenever it was read: later stages need not run again if it is the same."""
    return content_hash(raw.sort("page_id").drop("archive_record", "crawled_at").write_json())[:16]


class Corpus(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Builds the objects of the domain from the settings."""

    @property
    def settings(self) -> Settings:
        """The settings."""
        return load_settings()

    @property
    def clock(self) -> Clock:
        """The clock."""
        return system_clock

    @property
    def sites(self) -> dict[str, Site]:
        """The sites read, by slug."""
        return sites_of(self.settings)

    @property
    def coder(self) -> Coder:
        """The engine that codes."""
        return coder(self.settings.engine)

    def failure_note(self, slug: str) -> Path:
        """Return where the reason of a site's latest failed crawl is kept."""
        return self.settings.home / "crawl_state" / f"{slug}.failure.txt"

    def missing(self, overview: pl.DataFrame) -> list[tuple[str, str]]:
        """Return (name, reason) of each site that was not read, or whose latest crawl failed."""
        notes = {slug: self.failure_note(slug) for slug in self.sites}
        read = set(overview.filter(pl.col("status") != "ikke læst")["municipality"])
        return [
            (
                site.name,
                notes[slug].read_text(encoding="utf-8") if notes[slug].exists() else "Endnu ikke læst.",
            )
            for slug, site in self.sites.items()
            if notes[slug].exists() or slug not in read
        ]

    def stamp_file(self, slug: str) -> Path:
        """Return where it is kept from what, and by which rules, a site's derived tables were made."""
        return self.settings.home / "crawl_state" / f"{slug}.derived.txt"

    def stamp(self, slug: str, raw_version: str) -> None:
        """Note that everything derived of a site is made from this version of what was read, by today's rules."""
        write_text(self.stamp_file(slug), self._stamp(raw_version))

    def up_to_date(self, slug: str) -> bool:
        """Whether everything derived was made by today's rules from what the latest crawl read."""
        raw = Lake(self.settings.lake, self.settings.engine).read("raw_crawl", slug)
        path = self.stamp_file(slug)
        return path.exists() and path.read_text(encoding="utf-8") == self._stamp(content_version(raw))

    def _stamp(self, raw_version: str) -> str:
        rules = [*sorted(paths.CODEBOOK.glob("*.yml")), *sorted(paths.REFERENCE.glob("*.yml"))]
        tables = sorted((name, str(table.version)) for name, table in contracts().items())
        parts = [
            __version__,
            self.settings.engine,
            raw_version,
            repr(tables),
            *(path.read_text(encoding="utf-8") for path in rules),
        ]
        return stable_id(*parts)

    def crawl(self, slug: str, previous: Previous) -> CrawlResult:
        """Crawl one site now; a failure leaves a note for the report.

        Raises:
            SiteUnreachable: it answered nothing that can be read.
        """
        settings, policy, site = self.settings, crawl_policy(), self.sites[slug]
        agent = policy.user_agent.format(
            version=__version__, contact=settings.contact or "local test, no contact"
        )
        with (
            Fetcher(
                policy, user_agent=agent, address=site.address, pause=settings.pause, sleep=time.sleep
            ) as fetcher,
            Archive(settings.archive, slug, self.clock()) as archive,
        ):
            try:
                result = crawl(
                    site,
                    policy,
                    fetcher,
                    archive,
                    self.clock,
                    previous,
                    max_pages=settings.max_pages_per_site,
                )
            except SiteUnreachable as problem:
                write_text(self.failure_note(slug), str(problem))
                raise
        self.failure_note(slug).unlink(missing_ok=True)
        return result
