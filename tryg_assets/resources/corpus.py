"""The corpus: which sites are read, with what manners, by which engine, at what time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl

from tryg_assets import __version__
from tryg_assets.clock import Clock, system_clock
from tryg_assets.domain.coding import coder
from tryg_assets.domain.coding.claude import open_claude
from tryg_assets.domain.coding.claude.ledger import Ledger, open_ledger
from tryg_assets.domain.coding.interface import Coder
from tryg_assets.domain.crawling.archive import Archive
from tryg_assets.domain.crawling.crawl import CrawlResult, Previous, crawl
from tryg_assets.domain.crawling.fetch import Fetcher
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.domain.sites import Site
from tryg_assets.errors import ConfigurationError, SiteUnreachable
from tryg_assets.partitions import sites_of
from tryg_assets.settings import Settings, load_settings
from tryg_assets.stamps import Stamps
from tryg_assets.storage import write_text

if TYPE_CHECKING:
    from tryg_assets.domain.coding.claude.engine import Claude


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

    def coder(self, run_id: str = "") -> Coder:
        """Return the engine that codes; ``run_id`` is the run that a budget is held against if none is set."""
        return coder(self.settings.engine, run_id)

    def asker(self, run_id: str = "") -> Claude:
        """Return the engine that asks in batches.

        Raises:
            ConfigurationError: the engine set does not ask anybody.
        """
        if self.settings.engine != "claude":
            raise ConfigurationError(
                f"The engine {self.settings.engine} asks nobody, so it has no batches. Set TRYG_ENGINE=claude."
            )
        return open_claude(self.settings, run_id)

    @property
    def ledger(self) -> Ledger:
        """What was spent on models, and the caps."""
        return open_ledger(self.settings, "by hand", self.clock)

    @property
    def stamps(self) -> Stamps:
        """What was made from what."""
        settings = self.settings
        return Stamps(settings.home, settings.engine, settings.model if settings.engine == "claude" else "")

    def missing(self, overview: pl.DataFrame) -> list[tuple[str, str]]:
        """Return (name, reason) of each site that was not read, or whose latest crawl failed."""
        notes = {slug: self.stamps.failure_note(slug) for slug in self.sites}
        read = set(overview.filter(pl.col("status") != "ikke læst")["municipality"])
        return [
            (
                site.name,
                notes[slug].read_text(encoding="utf-8") if notes[slug].exists() else "Endnu ikke læst.",
            )
            for slug, site in self.sites.items()
            if notes[slug].exists() or slug not in read
        ]

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
                write_text(self.stamps.failure_note(slug), str(problem))
                raise
        self.stamps.failure_note(slug).unlink(missing_ok=True)
        return result
