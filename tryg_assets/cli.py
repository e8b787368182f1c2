"""The command line, ``tryg``."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tryg_assets.commands import batches, coding, money, pages, panel
from tryg_assets.commands.console import HomeOption, err, out, plain, settings_with
from tryg_assets.commands.dry import say_plan
from tryg_assets.commands.review import review
from tryg_assets.errors import TrygError
from tryg_assets.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="A map of the local safety work of Danish municipalities.",
    pretty_exceptions_enable=False,
)
sample_web = typer.Typer(
    no_args_is_help=True, help="The sample Denmark: 98 made-up municipal websites on loopback."
)
app.add_typer(sample_web, name="sample-web")
app.add_typer(review, name="review")


def main() -> None:
    """Run the command line; an error meant for a person is one message and exit code 1."""
    try:
        app()
    except TrygError as problem:
        err.print(f"[bold red]Error:[/] {plain(problem)}", highlight=False)
        sys.exit(1)


@contextlib.contextmanager
def _sample_address(settings: Settings, port: int = 0) -> Iterator[str | None]:
    """Serve the sample Denmark while the block runs, unless it is not read or already served."""
    if settings.source != "sample" or settings.sample_address:
        yield settings.sample_address
        return
    from tryg_assets.domain.sample_web.server import SampleServer

    with SampleServer(port=port) as server:
        yield server.address


@app.command()
def run(
    municipality: Annotated[
        list[str] | None,
        typer.Option(
            "--municipality",
            "-m",
            help="Refresh only this municipality (slug); may be repeated. The report is then left alone.",
        ),
    ] = None,
    sites: Annotated[
        Path | None,
        typer.Option(
            "--sites", help="Read the sites of a CSV file: slug,name,type,website[,extra_hosts][,address]."
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Read the municipalities' real websites (needs TRYG_CONTACT).")
    ] = False,
    engine: Annotated[str | None, typer.Option("--engine", help="Engine that codes pages.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Municipality runs side by side.")] = None,
    dry: Annotated[
        bool, typer.Option("--dry", help="Only say what would be asked, from whom and for how long.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Run the chain: crawl, clean, code, find actors for each site, then the national numbers and the report."""
    if sites is not None and live:
        raise typer.BadParameter("--sites and --live exclude each other")
    if sites is not None and home is None and "TRYG_HOME" not in os.environ:
        home = Path(f".tryg-{sites.stem}")
    source = "sites" if sites is not None else "live" if live else None
    settings = settings_with(source=source, sites_file=sites, engine=engine, workers=workers, home=home)
    from tryg_assets import runs
    from tryg_assets.domain.coding import coder
    from tryg_assets.domain.sites import pick, require_contact
    from tryg_assets.partitions import sites_of

    wanted = pick(sites_of(settings), municipality or [])
    if dry:
        say_plan(settings, wanted)
        return
    if settings.source == "live":
        from tryg_assets.clock import system_clock
        from tryg_assets.domain.crawling.night import Night

        Night.parse(settings.night).require(system_clock(), "The live web")
    if settings.source != "sample":
        require_contact(wanted, settings.contact)
    runs.prepare_home(settings)
    coder(settings.engine).ready()
    if settings.engine == "claude":
        money.say_most(settings, [site.slug for site in wanted], "single")
    started = time.monotonic()
    with _sample_address(settings) as address:
        # One budget for all the municipality runs that this command starts.
        variables = runs.environment(settings, address) | {"TRYG_RUN_ID": settings.run_id or uuid.uuid4().hex}
        outcomes = _with_progress(settings, [site.slug for site in wanted], variables)
        failed = [outcome for outcome in outcomes if not outcome.ok]
        _say_failed(failed, len(outcomes))
        if not municipality:
            with out.status("Agreement, warehouse and report ..."):
                country = runs.run_country(variables, only_if_changed=True)
        else:
            country = None
    minutes, seconds = divmod(time.monotonic() - started, 60)
    unchanged = sum(outcome.work == "crawl only" and outcome.ok for outcome in outcomes)
    out.print(
        f"{len(outcomes) - len(failed)} of {len(outcomes)} websites read ({unchanged} unchanged) in {minutes:.0f} min {seconds:.0f} s."
    )
    if failed and len(failed) == len(outcomes):
        err.print("[bold red]No website could be read.[/]")
        raise typer.Exit(1)
    if country is not None:
        if country.work == "unchanged":
            out.print("Nothing has changed since the report was made.")
        _say_report(settings, country.ok, country.message)
    elif failed:
        raise typer.Exit(1)


_PLAIN_EVERY = 30.0


def _with_progress(settings: Settings, slugs: list[str], variables: dict[str, str]) -> list[Any]:
    """Run the municipalities and show how far each is; without a terminal, a plain line now and then."""
    from tryg_assets import progress, runs

    progress.clear(settings.home)
    outcomes: list[Any] = []
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[standing]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out, disable=not out.is_terminal) as bars:
        country = bars.add_task("Municipalities", total=len(slugs), standing=f"0 of {len(slugs)}")
        rows: dict[str, Any] = {}

        def show() -> None:
            now = {standing.slug: standing for standing in progress.standings(settings.home)}
            for slug in [slug for slug in rows if slug not in now]:
                bars.remove_task(rows.pop(slug))
            for slug, standing in now.items():
                if slug not in rows:
                    rows[slug] = bars.add_task(f"  {slug}", standing="")
                bars.update(
                    rows[slug],
                    completed=standing.asked,
                    total=standing.asked + standing.waiting,
                    standing=str(standing),
                )

        said = time.monotonic()
        stop = threading.Event()

        def watch() -> None:
            nonlocal said
            while not stop.wait(0.5):
                show()
                if not out.is_terminal and time.monotonic() - said >= _PLAIN_EVERY:
                    said = time.monotonic()
                    out.print(f"{len(outcomes)} of {len(slugs)} municipalities done", highlight=False)
                    for standing in progress.standings(settings.home):
                        out.print(f"  {standing.slug}: {standing}", highlight=False)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            for outcome in runs.run_municipalities(slugs, variables, settings.workers):
                outcomes.append(outcome)
                bars.update(country, advance=1, standing=f"{len(outcomes)} of {len(slugs)}")
        finally:
            stop.set()
            watcher.join()
    return outcomes


def _say_failed(failed: list[Any], total: int) -> None:
    if failed:
        out.print(f"[yellow]{len(failed)} of {total} failed; the others are not touched by that:[/]")
    for outcome in failed:
        out.print(f"  [bold]{outcome.slug}[/]: {plain(outcome.message)}", highlight=False)


def _say_report(settings: Settings, ok: bool, message: str) -> None:
    from tryg_assets.domain.reporting.publication import DRAFT, PUBLISHED

    if not ok:
        err.print(f"[bold red]The report is not published.[/] {plain(message)}", highlight=False)
        raise typer.Exit(1)
    published, draft = (settings.report / name for name in (PUBLISHED, DRAFT))
    if draft.exists():
        out.print("[yellow]A draft: nothing to compare the coding with, so agreement is not measured.[/]")
    out.print(f"Report:    {(draft if draft.exists() else published).resolve()}", highlight=False)
    out.print(f"Warehouse: {settings.warehouse.resolve()}", highlight=False)


@app.command()
def report(home: HomeOption = None) -> None:
    """Sample, agreement, warehouse and report from what was last read."""
    settings = settings_with(home=home)
    from tryg_assets import runs

    runs.prepare_home(settings)
    country = runs.run_country(runs.environment(settings, settings.sample_address), only_if_changed=False)
    _say_report(settings, country.ok, country.message)


app.command()(coding.code)
app.command()(pages.explain)
app.command()(pages.show)
app.command()(batches.batches)
app.command()(money.estimate)
app.command()(money.spend)
app.command()(panel.panel)
app.add_typer(panel.codebook, name="codebook")


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000, home: HomeOption = None
) -> None:
    """Start the Dagster UI (and, for the sample Denmark, its web server) on TRYG_HOME."""
    settings = settings_with(home=home)
    from tryg_assets import paths, runs

    runs.prepare_home(settings)
    with _sample_address(settings, settings.sample_port) as address:
        out.print(f"Dagster UI: http://127.0.0.1:{port}  (stop with Ctrl-C)")
        command = [
            sys.executable,
            "-m",
            "dagster",
            "dev",
            "-m",
            "tryg_assets.definitions",
            "-p",
            str(port),
            "-h",
            "127.0.0.1",
        ]
        workspace = paths.PROJECT / "workspace.yaml"
        if workspace.exists():
            command[4:6] = ["-w", str(workspace)]
        environment = {**os.environ, **runs.environment(settings, address)}
        with contextlib.suppress(KeyboardInterrupt):
            subprocess.run(command, env=environment, check=False)


@app.command()
def doctor(home: HomeOption = None) -> None:
    """Check that this machine and the project's own files are in order."""
    settings = settings_with(home=home)
    from tryg_assets.doctor import findings

    table = Table("what", "state", "detail")
    problems = 0
    for name, ok, detail in findings(settings):
        problems += not ok
        table.add_row(name, "[green]ok[/]" if ok else "[red]wrong[/]", plain(detail))
    out.print(table)
    if problems:
        raise typer.Exit(1)


@sample_web.command("serve")
def serve_sample(
    port: Annotated[int | None, typer.Option(help="Port on 127.0.0.1 (else TRYG_SAMPLE_PORT).")] = None,
) -> None:
    """Serve the 98 sample websites until Ctrl-C."""
    settings = settings_with(sample_port=port)
    from tryg_assets.domain.sample_web.server import serve

    serve(settings.sample_port)


@sample_web.command("truth")
def write_sample_truth() -> None:
    """Write the truth file and the reference codings of the sample Denmark again (after changing its texts)."""
    from tryg_assets.domain.sample_web.truth import write_truth

    for path in write_truth():
        out.print(str(path))


if __name__ == "__main__":
    main()
