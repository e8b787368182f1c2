"""The desk: what every step of the review needs at hand, and how its pages and answers are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from tryg_assets.clock import Clock
from tryg_assets.domain.coding.claude.masking import published
from tryg_assets.domain.review import store
from tryg_assets.domain.review.answers import KnownPage
from tryg_assets.domain.review.pages import ReviewPage, review_pages
from tryg_assets.errors import ConfigurationError
from tryg_assets.settings import Settings
from tryg_assets.state import open_state
from tryg_assets.storage import Lake


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the review takes place.

    ``folder`` has outbox, inbox, done and rejected. ``corpus`` is what the files that go out are stamped with. ``names``
    are the municipalities' names by slug. ``mask`` is applied to every text before a reviewer sees it.
    """

    state: sa.Engine
    lake: Lake
    folder: Path
    corpus: str
    seed: int
    names: Mapping[str, str]
    clock: Clock
    mask: Callable[[str], str]

    def sample(self) -> list[str]:
        """Return the page_ids of the review sample, sorted.

        Raises:
            ConfigurationError: no sample was drawn yet.
        """
        pages = self.lake.read("review_sample")["page_id"].unique().sort().to_list()
        if not pages:
            raise ConfigurationError(
                "There is no review sample yet. Run the chain to its end first: tryg run."
            )
        return pages

    def pages(self, page_ids: Iterable[str]) -> dict[str, ReviewPage]:
        """Return pages as reviewers see them; those no longer on a website are left out."""
        wanted = pl.Series(list(page_ids), dtype=pl.String).implode()
        raw = self.lake.scan("raw_crawl").filter(pl.col("page_id").is_in(wanted)).collect()
        return review_pages(raw.sort("page_id").iter_rows(named=True), self.names, self.mask)

    def known(self) -> dict[str, KnownPage]:
        """Return every page of the corpus as it is now."""
        columns = ("page_id", "municipality", "url", "text_sha256")
        rows = self.lake.scan("raw_crawl").select(columns).collect().iter_rows()
        return {page_id: KnownPage(*rest) for page_id, *rest in rows}

    def current(self) -> dict[str, str]:
        """Return the hash of each page's text as it is now."""
        return {page_id: page.text_sha256 for page_id, page in self.known().items()}

    def codings(self) -> list[store.Coding]:
        """Return each person's latest answer about each page as it is now."""
        return store.latest_codings(self.state, self.current())


def open_desk(settings: Settings, names: Mapping[str, str], clock: Clock) -> Desk:
    """Return the desk of a TRYG_HOME.

    Raises:
        ConfigurationError: the state database cannot be opened.
    """
    sites = f" {settings.sites_file.name}" if settings.sites_file else ""
    return Desk(
        state=open_state(settings.state),
        lake=Lake(settings.lake, settings.engine),
        folder=settings.review,
        corpus=f"{settings.source}{sites}",
        seed=settings.seed,
        names=names,
        clock=clock,
        mask=lambda text: published(text).text,
    )
