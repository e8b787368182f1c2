"""The hours in which real websites are read, and the forecast of a crawl."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tryg_assets.domain.crawling.forecast import forecast
from tryg_assets.domain.crawling.night import Night
from tryg_assets.domain.sites import Site
from tryg_assets.errors import ConfigurationError, OutsideTheNight

SITE = Site("a", "A Kommune", "opland", "https://www.a.dk/kommunen")


@pytest.mark.parametrize(
    ("night", "moment", "is_open"),
    [
        ("22-06", "2026-11-21T21:00", True),
        ("22-06", "2026-11-21T20:59", False),
        ("22-06", "2026-11-21T04:59", True),
        ("22-06", "2026-11-21T05:00", False),
        ("22-06", "2026-07-01T20:00", True),
        ("22-06", "2026-07-01T04:00", False),
        ("1-5", "2026-11-21T00:00", True),
        ("1-5", "2026-11-21T23:30", False),
        ("0-24", "2026-11-21T11:00", True),
        ("18-24", "2026-11-21T22:59", True),
    ],
)
def test_hours_are_danish_winter_and_summer(night: str, moment: str, is_open: bool) -> None:
    assert Night.parse(night).is_open(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is is_open


@pytest.mark.parametrize("text", ["22", "22-22", "24-6", "6-25", "aften-morgen", "", "-1-6"])
def test_what_is_no_range_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"TRYG_NIGHT=.*22-06"):
        Night.parse(text)


def test_by_day_real_websites_are_left_alone_and_it_says_until_when() -> None:
    with pytest.raises(OutsideTheNight, match=r"A Kommune was not asked.*22:00-06:00.*TRYG_NIGHT=0-24"):
        Night.parse("22-06").require(datetime(2026, 11, 21, 12, tzinfo=UTC), "A Kommune")


def test_a_forecast_counts_what_cost_a_request_last_time() -> None:
    plan = forecast(SITE, ["hit", "no_stem", "trap", "robots", "error", "limit"], pause=1, max_pages=100)
    assert (plan.robots, plan.known) == ("https://www.a.dk/robots.txt", 4)
    assert 4 <= plan.low < 5
    assert 100 <= plan.high <= 200


def test_a_site_never_read_may_end_at_once_or_at_the_limit() -> None:
    plan = forecast(SITE, [], pause=1, max_pages=20_000)
    assert plan.known == 0
    assert plan.low < 5
    assert plan.high >= 20_000
