"""Commands about money: what a run would cost, and what was spent."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tryg_assets.clock import system_clock
from tryg_assets.commands.console import HomeOption, err, out, plain, settings_with
from tryg_assets.errors import ConfigurationError
from tryg_assets.settings import Settings

if TYPE_CHECKING:
    from tryg_assets.domain.coding.claude.estimate import Assumptions, Counted, Estimate, Way, Work
    from tryg_assets.domain.coding.claude.ledger import Ledger, Reservation, Totals
    from tryg_assets.domain.coding.claude.prices import Prices
    from tryg_assets.domain.coding.claude.questions import Question

_NAMED = 3  # of a kind in a cell of a table; more are counted


def estimate(
    municipality: Annotated[
        list[str] | None,
        typer.Option("--municipality", "-m", help="Only this municipality; may be repeated."),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="Model to ask (else TRYG_MODEL).")] = None,
    pages: Annotated[
        int | None, typer.Option("--pages", min=1, help="What if: this many pages instead of those read.")
    ] = None,
    words: Annotated[int, typer.Option("--words", min=1, help="Words of a page, with --pages.")] = 600,
    count: Annotated[
        bool, typer.Option("--count", help="Have the server count the tokens of some pages (free of charge).")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Say what the engine claude would cost, before anything is asked: calls, tokens and dollars as low, likely, high."""
    settings = settings_with(model=model, home=home)
    from tryg_assets.domain.coding.claude.estimate import Assumptions, Texts, Work
    from tryg_assets.domain.coding.claude.prices import Prices

    prices, assumptions = Prices.load(), Assumptions.load()
    prices.of(settings.model)
    if pages is not None:
        if count or municipality:
            raise typer.BadParameter("--pages is about no page that was read; leave out -m and --count")
        characters = round(pages * words * assumptions.characters_per_word)
        _show(settings, Work(Texts(pages, characters)), prices, assumptions, f"{words} words a page")
        return
    work, questions = _work(settings, municipality or [])
    _show(settings, work, prices, assumptions, "lengths measured, tokens estimated")
    if count and questions:
        seen = _counted(settings, questions[:: max(1, len(questions) // assumptions.counted_pages)])
        basis = f"tokens counted: {seen.characters_per_token:.2f} characters each"
        _show(settings, work, prices, assumptions, basis, seen)


def say_most(settings: Settings, slugs: list[str], way: Way) -> None:
    """Say, before anything is asked, what the pages in the lake would cost at the most, and the caps.

    Pages that are not read yet cannot be reckoned with; the caps hold for them too.
    """
    from tryg_assets.domain.coding.claude.estimate import Assumptions
    from tryg_assets.domain.coding.claude.estimate import estimate as estimated
    from tryg_assets.domain.coding.claude.prices import Prices
    from tryg_assets.domain.coding.claude.tasks import tasks

    prices = Prices.load()
    _warn_of_age(settings, prices)
    try:
        with out.status("What would it cost at the most? ..."):
            work, _ = _work(settings, slugs)
    except ConfigurationError:
        said = "no page has been read yet, so what it will cost cannot be said"
    else:
        most = estimated(settings.model, work, tasks(), prices, Assumptions.load()).usd[way]["high"]
        said = f"{work.decide.count:,} pages read before are not answered: at the most about {most:.2f} USD"
    out.print(f"{settings.model}: {said}. {_caps(settings)}", highlight=False)


def say_caps(settings: Settings) -> None:
    """Say before anything is asked what may be spent; where data goes to standard output, it stays clean."""
    from tryg_assets.domain.coding.claude.prices import Prices

    _warn_of_age(settings, Prices.load())
    err.print(f"{settings.model}: {_caps(settings)}", highlight=False)


def _caps(settings: Settings) -> str:
    return f"Caps: {settings.budget_run_usd} USD a run, {settings.budget_month_usd} USD a month."


def _warn_of_age(settings: Settings, prices: Prices) -> None:
    if warning := prices.said_of_age(settings.model, system_clock().date()):
        err.print(f"[yellow]{plain(warning)}[/]", highlight=False)


def _work(settings: Settings, slugs: list[str]) -> tuple[Work, list[Question]]:
    """Return what is not answered yet of the kept pages in the lake."""
    import polars as pl

    from tryg_assets.domain.coding.claude import server_of
    from tryg_assets.domain.coding.claude.decisions import Decisions
    from tryg_assets.domain.coding.claude.estimate import work_left
    from tryg_assets.domain.coding.claude.ledger import open_ledger
    from tryg_assets.domain.coding.claude.prices import Prices
    from tryg_assets.domain.coding.claude.questions import Model
    from tryg_assets.domain.coding.claude.tasks import tasks
    from tryg_assets.domain.coding.pages import kept_pages
    from tryg_assets.domain.sites import pick
    from tryg_assets.partitions import sites_of
    from tryg_assets.storage import Lake

    lake = Lake(settings.lake, "offline-rules")
    read = set(lake.municipalities("filtered_pages"))
    wanted = [site.slug for site in pick(sites_of(settings), slugs) if site.slug in read]
    if not wanted:
        raise ConfigurationError(
            f"No page has been read into {settings.home} yet. Run `tryg run` first (it costs nothing with the engine offline-rules), "
            "or ask what if: `tryg estimate --pages 13598 --words 600`."
        )
    coded = lake.scan("page_codings").filter(pl.col("is_initiative") == "yes").select("page_id").collect()
    pages = (
        page
        for slug in wanted
        for page in kept_pages(lake.read("raw_crawl", slug), lake.read("filtered_pages", slug))
    )
    ledger = open_ledger(settings, "by hand")
    decisions = Decisions(ledger.engine, system_clock, ledger, owner="estimate", lease_seconds=1)
    model = Model(settings.model, Prices.load().of(settings.model).thinking_off, server_of(settings).name)
    return work_left(pages, tasks(), model, decisions.find, set(coded["page_id"]))


def _counted(settings: Settings, questions: list[Question]) -> Counted:
    """Have the server count the tokens of the tasks and of some pages."""
    import anthropic

    from tryg_assets.domain.coding.claude import server_of
    from tryg_assets.domain.coding.claude.estimate import count
    from tryg_assets.domain.coding.claude.tasks import tasks

    server = server_of(settings)
    with out.status(f"{server.host} counts the tokens of {len(questions)} pages ..."):
        try:
            client = server.batch_client(seconds=60, retries=2)
            return count(client, questions, tasks())
        except anthropic.APIStatusError as problem:
            if problem.status_code not in (404, 405, 501):
                raise server.explained(problem) from problem
            raise ConfigurationError(
                f"{server.address} does not count tokens. Leave out --count: the estimate above stands."
            ) from problem
        except anthropic.APIConnectionError as problem:
            raise server.unreachable(problem) from problem


def _show(
    settings: Settings,
    work: Work,
    prices: Prices,
    assumptions: Assumptions,
    basis: str,
    seen: Counted | None = None,
) -> None:
    from tryg_assets.domain.coding.claude.estimate import LEVELS, WAYS
    from tryg_assets.domain.coding.claude.estimate import estimate as estimated
    from tryg_assets.domain.coding.claude.tasks import tasks

    found = estimated(settings.model, work, tasks(), prices, assumptions, seen)
    known = prices.of(settings.model)
    out.print(
        f"[bold]{settings.model}[/]: {work.decide.count:,} pages to decide, {work.describe.count:,} to describe, "
        f"{work.actors.count:,} whose actors are to be found ({basis}; prices of {known.checked_on})",
        highlight=False,
    )
    steps = Table("task", "calls", "tokens sent", "tokens received", title="likely")
    for step in found.steps["likely"]:
        counts = (step.calls, step.prompt_tokens, step.answer_tokens)
        steps.add_row(step.task, *(f"{round(number):,}" for number in counts))
    out.print(steps)
    money = Table("USD", *LEVELS, "likely, in kroner")
    places = 2 if found.usd["single"]["likely"] >= 1 else 4
    for way in WAYS:
        usd = found.usd[way]
        kroner = f"{prices.dkk(usd['likely']):,.2f}"
        money.add_row(way, *(f"{usd[level]:,.{places}f}" for level in LEVELS), kroner)
    out.print(money)
    _show_notes(settings, found, prices)


def _show_notes(settings: Settings, found: Estimate, prices: Prices) -> None:
    _warn_of_age(settings, prices)
    rate = prices.dkk_per_usd
    for note in (*found.notes, f"{rate.rate} kroner for a dollar ({rate.source}, {rate.checked_on})."):
        out.print(f"- {plain(note)}", highlight=False)
    least = min(usd["likely"] for usd in found.usd.values())
    if least > settings.budget_run_usd:
        out.print(
            f"[yellow]A run stops at {settings.budget_run_usd} USD (TRYG_BUDGET_RUN_USD); all it has paid for is kept.[/]"
        )


def spend(
    release: Annotated[
        list[str] | None,
        typer.Option(
            "--release", help="This open request, or all of this run, was not charged; may be repeated."
        ),
    ] = None,
    charge: Annotated[
        list[str] | None,
        typer.Option(
            "--charge", help="This open request, or all of this run, was charged in full; may be repeated."
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Show what was spent on models, the caps, and requests of which it is not known whether they were charged."""
    settings = settings_with(home=home)
    from tryg_assets.domain.coding.claude.ledger import open_ledger
    from tryg_assets.domain.coding.claude.prices import Prices

    ledger, prices = open_ledger(settings, "by hand"), Prices.load()
    for name in release or []:
        for id in ledger.called(name):
            ledger.release(id)
    for name in charge or []:
        for id in ledger.called(name):
            ledger.settle_at_worst(id)
    month = f"{system_clock():%Y-%m}"
    table = Table("", "charged, USD", "open, USD", "cap, USD", "charged, kroner")

    def row(name: str, totals: Totals, cap: Decimal | None = None) -> None:
        settled, open_ = f"{totals.settled:.4f}", f"{totals.open:.4f}"
        table.add_row(name, settled, open_, "" if cap is None else str(cap), f"{prices.dkk(totals.settled)}")

    if (latest := ledger.latest_run()) is not None:
        row(f"latest run ({latest[:8]})", ledger.totals(run_id=latest), settings.budget_run_usd)
    row(f"month {month}", ledger.totals(month=month), settings.budget_month_usd)
    row("in all", ledger.totals())
    out.print(table)
    _show_open(ledger)


def _show_open(ledger: Ledger) -> None:
    reservations = ledger.open_reservations()
    if not reservations:
        return
    by_run: dict[str, list[Reservation]] = {}
    for one in reservations:
        by_run.setdefault(one.run_id, []).append(one)
    table = Table(
        "id", "since", "requests", "municipality", "task", "model", "at most, USD", title="open requests"
    )
    for run_id, of_run in by_run.items():
        first, count = of_run[0], len(of_run)
        since = first.reserved_at[:16].replace("T", " ")
        about = (_some({getattr(one, name) for one in of_run}) for name in ("municipality", "task", "model"))
        cells = (first.id if count == 1 else run_id, since, count, *about)
        table.add_row(*(plain(cell) for cell in cells), f"{sum(one.usd for one in of_run):.6f}")
    out.print(table)
    out.print(
        "These were reserved and not settled: a run is under way, a batch is waiting or was given up, or a run was killed. They count "
        "under the caps. If nothing is under way, look at your account and decide: `tryg spend --charge ID` or `tryg spend --release ID`, "
        "where ID is that of a request or of a run with all its open requests."
    )


def _some(names: set[str]) -> str:
    return " ".join(sorted(names)) if len(names) <= _NAMED else f"{len(names)} of them"
