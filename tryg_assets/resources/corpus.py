"""The corpus: which sites are read, with what manners, by which engine, at what time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl

from tryg_assets.clock import Clock, system_clock
from tryg_assets.domain.coding import coder
from tryg_assets.domain.coding.claude import open_claude, server_of
from tryg_assets.domain.coding.claude.ledger import Ledger, open_ledger
from tryg_assets.domain.coding.claude.masking import published
from tryg_assets.domain.coding.interface import Coder
from tryg_assets.domain.crawling.archive import Archive
from tryg_assets.domain.crawling.crawl import CrawlResult, Previous, crawl
from tryg_assets.domain.crawling.fetch import Fetcher
from tryg_assets.domain.crawling.night import Night
from tryg_assets.domain.crawling.policy import crawl_policy
from tryg_assets.domain.review.desk import Desk, open_desk
from tryg_assets.domain.sites import Site, require_contact
from tryg_assets.errors import ConfigurationError, SiteUnreachable
from tryg_assets.partitions import sites_of
from tryg_assets.progress import Reporter
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
    def types(self) -> dict[str, str]:
        """The type of municipality of each site, by slug."""
        return {slug: site.type for slug, site in self.sites.items()}

    @property
    def ledger(self) -> Ledger:
        """What was spent on models, and the caps."""
        return open_ledger(self.settings, "by hand", self.clock)

    @property
    def stamps(self) -> Stamps:
        """What was made from what."""
        settings = self.settings
        asked = f"{settings.model} {server_of(settings).name}".strip() if settings.engine == "claude" else ""
        return Stamps(settings.home, settings.engine, asked)

    @property
    def desk(self) -> Desk:
        """Where the blind review takes place."""
        return open_desk(self.settings, {slug: site.name for slug, site in self.sites.items()}, self.clock)

    def missing(self, overview: pl.DataFrame) -> list[tuple[str, str]]:
        """Return (name, reason) of each site that was not read, or whose latest crawl failed; reasons without personal data."""
        failed = self.stamps.failures(self.sites)
        read = set(overview.filter(pl.col("status") != "ikke læst")["municipality"])
        return [
            (site.name, published(failed.get(slug, "Endnu ikke læst.")).text)
            for slug, site in self.sites.items()
            if slug in failed or slug not in read
        ]

    @contextmanager
    def crawl(self, slug: str, previous: Previous, say: Callable[[str], None]) -> Iterator[CrawlResult]:
        """Crawl one site now, saying now and then how far it is.

        The archive ends the crawl when the block, which stores the rows, ends well. A failure leaves a note for the report.

        Raises:
            SiteUnreachable: it answered nothing that can be read.
            OutsideTheNight: it is a real website, and not the hour to read it.
            ConfigurationError: it is somebody's website, and no contact address is set.
        """
        settings, policy, site = self.settings, crawl_policy(), self.sites[slug]
        require_contact([site], settings.contact)
        live = settings.source == "live"
        night = Night.parse(settings.night)

        def closing() -> str | None:
            over = live and not night.is_open(self.clock())
            return f"the night is over (TRYG_NIGHT, {night}); it goes on the next night" if over else None

        if live:
            night.require(self.clock(), site.name)
        agent = policy.name_for(settings.contact)
        progress = Reporter(settings.home, slug, say)
        with (
            Fetcher(
                policy,
                user_agent=agent,
                address=site.address,
                public_only=live,
                pause=settings.pause(own=site.is_own),
                sleep=time.sleep,
            ) as fetcher,
            Archive(settings.archive, slug, self.clock(), agent) as archive,
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
                    on_page=progress,
                    closing=closing,
                )
            except SiteUnreachable as problem:
                write_text(self.stamps.failure_note(slug), str(problem))
                raise
            finally:
                progress.done()
            self.stamps.failure_note(slug).unlink(missing_ok=True)
            yield result
