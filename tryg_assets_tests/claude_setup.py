"""The engine ``claude`` as the tests use it: against a stand-in, on a state database in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from tryg_assets.clock import Clock, system_clock
from tryg_assets.domain.coding.claude import open_claude
from tryg_assets.domain.coding.claude.engine import Claude
from tryg_assets.domain.coding.claude.limits import BatchLimits, Limits
from tryg_assets.domain.coding.claude.prices import Prices, Usage
from tryg_assets.domain.coding.interface import Page
from tryg_assets.settings import Settings
from tryg_assets_tests.standin import Charge, StandIn

MODEL = "claude-haiku-5-5"


def limits(**changed: Any) -> Limits:
    """Return small limits that never wait long; ``least``, ``most``, ``unsure_minutes``, ``tries`` are those of batches."""
    batch = {"least": 500, "most": 5000, "megabytes": 32, "unsure_minutes": 15, "tries": 3}
    batch |= {name: changed.pop(name) for name in list(changed) if name in batch}
    plain = {
        "concurrency": 4,
        "retries": 3,
        "seconds": 20,
        "asks": 2,
        "lease_seconds": 60,
        "most_rejected": 3,
        "unpaid": ("credit balance",),
    }
    return Limits(**plain | changed, batch=BatchLimits(**batch))


def engine(
    standin: StandIn | None, home: Path, *, clock: Clock = system_clock, run: str = "run", **changed: Any
) -> Claude:
    """Return the engine; ``cap`` is that of the run, the rest of ``changed`` goes to :func:`limits`."""
    home.mkdir(parents=True, exist_ok=True)
    values: dict[str, Any] = {"home": home, "engine": "claude", "budget_run_usd": changed.pop("cap", 5)}
    if standin is not None:
        values["TRYG_API_BASE_URL"] = standin.url
    return open_claude(Settings.model_validate(values), run, clock, limits(**changed))


def strategy(number: int = 0, place: str = "aarhus", extra: str = "") -> Page:
    """Return a page that the stand-in's rules say yes to, with three actors."""
    text = (
        "# Tryghedsstrategi\n"
        f"Byrådet har vedtaget en tryghedsstrategi nr. {number}, der skal gøre det trygt at færdes i kommunen.\n"
        "Strategien gennemføres sammen med Nordjyllands Politi og Natteravnene i nattelivet.\n"
        f"Der er afsat 2 mio. kr. om året.{extra}"
    )
    return Page.of(f"s{number}", place, f"https://{place}.dk/s{number}", f"Tryghedsstrategi {number}", text)


def service(number: int = 0, text: str = "Du kan trygt kontakte os på rådhuset.") -> Page:
    """Return a page that the stand-in's rules say no to."""
    return Page.of(f"n{number}", "aarhus", f"https://aarhus.dk/n{number}", f"Åbningstider {number}", text)


def bill(charges: Iterable[Charge]) -> Decimal:
    """Return what a stand-in has charged, in US dollars."""
    prices = Prices.load()
    return sum((prices.cost(c.model, Usage.of(c.usage), batch=c.batch) for c in charges), Decimal())
