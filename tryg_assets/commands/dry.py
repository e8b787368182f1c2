"""``tryg run --dry``: what would be asked, from whom and for how long."""

from __future__ import annotations

from rich.table import Column, Table

from tryg_assets.commands.console import out, plain
from tryg_assets.domain.sites import Site
from tryg_assets.settings import Settings


def say_plan(settings: Settings, sites: list[Site]) -> None:
    """Print what ``tryg run`` would ask of ``sites``. Nothing is asked and nothing written."""
    from tryg_assets.clock import system_clock
    from tryg_assets.domain.crawling.forecast import forecast
    from tryg_assets.domain.crawling.night import Night
    from tryg_assets.domain.crawling.policy import crawl_policy
    from tryg_assets.storage import Lake

    lake = Lake(settings.lake, settings.engine)
    names = ("site", "asked", "robots.txt, asked first", "known addresses", "at least", "at most")
    table = Table(*(Column(name, overflow="fold") for name in names))
    plans = [
        forecast(
            site,
            lake.read("crawl_log", site.slug)["outcome"],
            pause=settings.pause(own=site.is_own),
            max_pages=settings.max_pages_per_site,
        )
        for site in sites
    ]
    for plan in plans:
        hosts = " ".join([plan.site.website, *plan.site.extra_hosts])
        known = str(plan.known) if plan.known else "never read"
        table.add_row(plan.site.slug, hosts, plan.robots, known, _duration(plan.low), _duration(plan.high))
    out.print(table)
    out.print(plain(f"User agent: {crawl_policy().name_for(settings.contact)}"), highlight=False)
    pauses = " or ".join(
        f"{pause:g}" for pause in sorted({settings.pause(own=site.is_own) for site in sites})
    )
    out.print(
        f"Between two requests to a site: {pauses} s, more if its robots.txt asks for it; never two at once. "
        f"At most {settings.max_pages_per_site} requests a site, {settings.workers} sites side by side.",
        highlight=False,
    )
    if len(plans) > 1:
        low, high = (
            _together([getattr(plan, name) for plan in plans], settings.workers) for name in ("low", "high")
        )
        out.print(
            f"All {len(plans)} sites together: at least {_duration(low)}, at most {_duration(high)}.",
            highlight=False,
        )
    if settings.source == "live":
        night = Night.parse(settings.night)
        state = "it is now" if night.is_open(system_clock()) else "it is not now"
        out.print(f"Only within {night} (TRYG_NIGHT); {state}.", highlight=False)
    out.print("Nothing was asked.")


def _together(seconds: list[float], workers: int) -> float:
    """Seconds of all sites, ``workers`` side by side; one site is never shared out, so the longest is the least."""
    return max(sum(seconds) / workers, *seconds)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
