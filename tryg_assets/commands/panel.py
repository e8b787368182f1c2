"""Commands that set two codings of the same pages side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from tryg_assets.commands.console import HomeOption, out, plain, settings_with
from tryg_assets.errors import ConfigurationError
from tryg_assets.settings import Settings

if TYPE_CHECKING:
    from tryg_assets.domain.coding.interface import Page
    from tryg_assets.domain.coding.panel import Answer, Panelist

codebook = typer.Typer(no_args_is_help=True, help="The codebook: what a change of it would change.")

YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask before spending money.")]


def panel(
    first: Annotated[str, typer.Argument(help="engine[:model][@folder of a codebook], e.g. offline-rules.")],
    second: Annotated[str, typer.Argument(help="The same, e.g. claude:claude-haiku-5-5@new/codebook.")],
    pages: Annotated[int, typer.Option("--pages", min=1, help="Pages to code, chosen by hash.")] = 50,
    yes: YesOption = False,
    home: HomeOption = None,
) -> None:
    """Code the same pages twice, by two engines, models or codebooks, and show how far they agree."""
    settings = settings_with(home=home)
    from tryg_assets.domain.coding.panel import ALL_AREAS, PAGE, Panelist, compare
    from tryg_assets.domain.reference import focus_areas

    sample = _sample(settings, pages)
    panelists = [Panelist.parse(text) for text in (first, second)]
    for panelist in panelists:
        _agree_to_pay(settings, panelist, sample, yes)
    one, two = (panelist.answers(sample, _variables(settings)) for panelist in panelists)
    labels = {PAGE: "an initiative?", ALL_AREAS: "all areas"}
    table = Table("", "n", "both", "1st only", "2nd only", "alike", "95 %", "kappa")
    for row in compare(one, two, list(focus_areas())):
        table.add_row(labels.get(row["item"], row["item"]), *_cells(row))
    out.print(table)
    out.print(
        "A doubt counts as no. Areas are compared on pages that both call an initiative. Agreement says nothing about who is right."
    )
    _show_flips(one, two)


@codebook.command()
def diff(
    folder: Annotated[
        Path | None,
        typer.Option(
            "--codebook", help="Folder of a changed copy of data/codebook (else data/codebook itself)."
        ),
    ] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="Engine that codes (else TRYG_ENGINE).")
    ] = None,
    pages: Annotated[int, typer.Option("--pages", min=1, help="Pages to code, chosen by hash.")] = 200,
    yes: YesOption = False,
    home: HomeOption = None,
) -> None:
    """Show how many stored decisions a changed codebook would flip, on a fixed sample, before it is accepted."""
    settings = settings_with(engine=engine, home=home)
    from tryg_assets.domain.coding.panel import Answer, Panelist
    from tryg_assets.domain.reliability.intervals import wilson
    from tryg_assets.storage import Lake

    sample = _sample(settings, pages)
    ids = [page.page_id for page in sample]
    stored = Lake(settings.lake, settings.engine).rows("page_codings", "page_id", ids)
    if not stored:
        raise ConfigurationError(
            f"Nothing is stored of the engine {settings.engine} to compare with. Run `tryg run --engine {settings.engine}` first."
        )
    known = {row["page_id"] for row in stored}
    sample = [page for page in sample if page.page_id in known]
    named = f"{settings.engine}@{folder}" if folder else settings.engine
    panelist = Panelist.parse(named)
    _agree_to_pay(settings, panelist, sample, yes)
    now = panelist.answers(sample, _variables(settings))
    flipped = _show_flips([Answer.of(row) for row in stored], now)
    interval = wilson(flipped, len(now))
    assert interval is not None
    hashes = ", ".join(sorted({row["codebook_hash"][:10] for row in stored}))
    paid = " The model's answers and what they cost are kept." if settings.engine == "claude" else ""
    out.print(
        f"{flipped} of {len(now)} stored decisions (codebook {hashes}) would flip: {100 * flipped / len(now):.1f} % "
        f"(95 %: {100 * interval.low:.1f}-{100 * interval.high:.1f}). The tables are as they were.{paid}",
        highlight=False,
    )


def _sample(settings: Settings, count: int) -> list[Page]:
    """Return up to ``count`` kept pages of the lake, chosen by hash.

    Raises:
        ConfigurationError: nothing has been read yet.
    """
    import polars as pl

    from tryg_assets.domain.coding.interface import Page
    from tryg_assets.domain.coding.panel import pages_of_choice
    from tryg_assets.storage import Lake

    lake = Lake(settings.lake, settings.engine)
    kept = lake.scan("filtered_pages").filter(pl.col("verdict") == "kept").select("page_id").collect()
    chosen = pages_of_choice(kept["page_id"], count)
    if not chosen:
        raise ConfigurationError(f"No page has been read into {settings.home} yet. Run `tryg run` first.")
    rows = lake.rows("raw_crawl", "page_id", chosen)
    names = ("page_id", "municipality", "url", "title", "text")
    return [Page.of(*(row[name] for name in names)) for row in rows]


def _variables(settings: Settings) -> dict[str, str]:
    from tryg_assets.runs import environment

    return environment(settings, None)


def _agree_to_pay(settings: Settings, panelist: Panelist, pages: Sequence[Page], yes: bool) -> None:
    """Say what a panelist that asks a language model would cost at the most, and ask whether to go on."""
    if panelist.engine != "claude":
        return
    from tryg_assets.domain.coding.claude.estimate import Assumptions, Work, estimate, page_texts
    from tryg_assets.domain.coding.claude.prices import Prices
    from tryg_assets.domain.coding.claude.tasks import tasks

    model = panelist.model or settings.model
    work = Work(page_texts(pages, tasks()))
    found = estimate(model, work, tasks(), Prices.load(), Assumptions.load())
    most = found.usd["single"]["high"]
    out.print(
        f"{model}: {len(pages)} pages; at the most about {most:.2f} USD (answers there are cost nothing)."
    )
    if not yes:
        typer.confirm("Go on?", abort=True)


def _cells(row: dict[str, Any]) -> list[str]:
    counts = [str(round(row[name])) for name in ("n", "both_yes", "first_only", "second_only")]
    if not row["n"]:
        return [*counts, "-", "-", "-"]
    kappa = "-" if row["kappa"] is None else f"{row['kappa']:.2f}"
    return [*counts, f"{row['percent_agreement']:.3f}", f"{row['ci_low']:.3f}-{row['ci_high']:.3f}", kappa]


def _show_flips(before: Sequence[Answer], now: Sequence[Answer]) -> int:
    """Show the pages that are answered differently; returns how many have another decision."""
    from tryg_assets.domain.coding.panel import flips

    found = list(flips(before, now))
    if not found:
        return 0
    table = Table("page", "before", "now", "areas", "why", title="answered differently")
    for flip in found:
        areas = [*(f"-{area}" for area in flip.areas_lost), *(f"+{area}" for area in flip.areas_gained)]
        cells = (flip.url, flip.before, flip.now, " ".join(areas), flip.why)
        table.add_row(*(plain(cell) for cell in cells))
    out.print(table)
    return sum(flip.before != flip.now for flip in found)
