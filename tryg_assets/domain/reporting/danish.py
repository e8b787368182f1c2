"""Numbers, dates and the alphabet as Danes write them."""

from __future__ import annotations

from datetime import date

from tryg_assets.domain.reliability.measured import Measurement

NOTHING = "–"
_HARD_SPACE = "\N{NO-BREAK SPACE}"


def number(value: int | None) -> str:
    """Return 1234 as ``1.234``; a dash for ``None``."""
    return NOTHING if value is None else f"{value:,}".replace(",", ".")


def decimal(value: float | None, places: int = 2) -> str:
    """Return 0.876 as ``0,88``; a dash for ``None``."""
    return NOTHING if value is None else f"{value:,.{places}f}".translate(str.maketrans(",.", ".,"))


def percent(share: float | None, places: int = 1) -> str:
    """Return the share 0.123 as ``12,3 %``; a dash for ``None``."""
    return NOTHING if share is None else f"{decimal(share * 100, places)}{_HARD_SPACE}%"


def interval(low: float | None, high: float | None, places: int = 1) -> str:
    """Return the interval of a share as ``8,1–15,2 %``; a dash if there is none."""
    return NOTHING if low is None or high is None else f"{decimal(low * 100, places)}–{percent(high, places)}"


def between(low: float | None, high: float | None) -> str:
    """Return the interval of a count as ``1.234–1.310``; a dash if there is none."""
    return NOTHING if low is None or high is None else f"{number(round(low))}–{number(round(high))}"


def day(moment: date | None) -> str:
    """Return the date as ``21.04.2026``; a dash for ``None``."""
    return NOTHING if moment is None else f"{moment:%d.%m.%Y}"


def alphabet(name: str) -> str:
    """Return a sort key for the Danish alphabet: æ, ø and å last, and aa as å."""
    return name.casefold().replace("aa", "å").translate({ord("æ"): "~1", ord("ø"): "~2", ord("å"): "~3"})


def said(entry: Measurement) -> str:
    """Return a measurement of an engine in one sentence: precision and recall with intervals, kappa, focus areas, n."""
    figures = [
        f"{name} {percent(share)} ({interval(limits.low, limits.high) if limits else NOTHING})"
        for name, share, limits in (
            ("præcision", entry.pages.precision, entry.precision),
            ("genfinding", entry.pages.recall, entry.recall),
        )
    ]
    return (
        f"Målt på {entry.texts} (n = {number(round(entry.pages.n))}): {', '.join(figures)}, kappa {decimal(entry.pages.kappa)}; "
        f"fokusområder F1 {decimal(entry.areas.f1)}."
    )
