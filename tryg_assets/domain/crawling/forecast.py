"""What a crawl would ask, and for how long, told without asking anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tryg_assets.domain.crawling.addresses import origin_of
from tryg_assets.domain.sites import Site

# Outcomes of the crawl before that cost no request in the next one either.
NOT_ASKED = frozenset({"trap", "robots"})
# How long websites take to answer, in seconds: our own guess, 2026-11; with the pause it makes the time of one request.
_ANSWER_LOW, _ANSWER_HIGH = 0.05, 1.0
# robots.txt, sitemap and home page are asked for in any case.
_LEAST = 3


@dataclass(frozen=True, slots=True)
class Forecast:
    """One site's next crawl: ``known`` addresses to ask again (0: never read), time in seconds at least and at most."""

    site: Site
    robots: str
    known: int
    low: float
    high: float


def forecast(site: Site, outcomes: Iterable[str], *, pause: float, max_pages: int) -> Forecast:
    """Return what the next crawl of ``site`` asks, from the outcomes in its ``crawl_log``, if it was ever read.

    A site never read may end at once or at the limit of requests; a site read before has at least what it had. A
    Crawl-delay in its robots.txt, which is not known yet, makes it longer.
    """
    known = sum(outcome not in NOT_ASKED for outcome in outcomes)
    low = min(max(known, _LEAST), max_pages) * (pause + _ANSWER_LOW)
    return Forecast(
        site, f"{origin_of(site.website)}/robots.txt", known, low, max_pages * (pause + _ANSWER_HIGH)
    )
