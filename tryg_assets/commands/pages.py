"""Commands about single pages: what happened to a page, and why."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from tryg_assets.commands.console import HomeOption, err, out, plain, settings_with


def explain(
    address: Annotated[
        str | None, typer.Argument(help="Address of a page (loosely), or its page_id.")
    ] = None,
    municipality: Annotated[
        str | None,
        typer.Option("--municipality", "-m", help="Instead: the funnel of this municipality (slug)."),
    ] = None,
    engine: Annotated[str | None, typer.Option("--engine", help="Whose codings are told.")] = None,
    format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    home: HomeOption = None,
) -> None:
    """Tell in Danish what happened to a page along the chain, and why; exit code 1 if it is not known."""
    if (address is None) == (municipality is None):
        raise typer.BadParameter("give either the address of a page or --municipality")
    if format not in ("text", "json"):
        raise typer.BadParameter(f"'{format}' is neither text nor json", param_hint="--format")
    settings = settings_with(home=home, engine=engine)
    from tryg_assets.domain.reporting.story import municipality_story, page_story
    from tryg_assets.domain.sites import pick
    from tryg_assets.partitions import sites_of
    from tryg_assets.stamps import Stamps
    from tryg_assets.storage import Lake

    lake, sites = Lake(settings.lake, settings.engine), sites_of(settings)
    failed = Stamps(settings.home, settings.engine).failures(sites)
    if municipality is not None:
        story = municipality_story(lake, pick(sites, [municipality])[0].slug, failed)
    else:
        assert address is not None
        story = page_story(lake, address, sites.values(), failed)
    if format == "json":
        sys.stdout.write(json.dumps(asdict(story), ensure_ascii=False, indent=2) + "\n")
    else:
        out.print(f"[bold]{plain(story.address)}[/]", highlight=False)
        for step in story.steps:
            out.print(f"\n[bold cyan]{plain(step.heading)}[/]", highlight=False)
            for line in step.lines:
                out.print(f"  {plain(line)}", highlight=False)
        if story.nearest:
            out.print("\n[bold]Nærmeste kendte:[/]")
            for near in story.nearest:
                out.print(f"  {plain(near)}", highlight=False)
    if not story.known:
        raise typer.Exit(1)


def show(
    address: Annotated[str, typer.Argument(help="Address of a page (loosely).")],
    date: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="As it was on this day, or last before it."),
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Only the text, as it was read.")] = False,
    headers: Annotated[
        bool, typer.Option("--headers", help="Only status and headers of the answer.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Only the body, byte for byte (> file).")] = False,
    home: HomeOption = None,
) -> None:
    """Open in the archive what was read at an address; exit code 1 if nothing was."""
    if text + headers + raw > 1:
        raise typer.BadParameter("--text, --headers and --raw exclude each other")
    settings = settings_with(home=home)
    from tryg_assets.domain.crawling.policy import crawl_policy
    from tryg_assets.domain.reporting.page_as_read import look_up, text_as_read, title_of
    from tryg_assets.partitions import sites_of

    policy = crawl_policy()
    until = date.date() if date else None
    shown = look_up(address, until, settings.archive, sites_of(settings).values(), policy)
    found = shown.found
    if found is None or found.kept is None:
        for line in shown.lines:
            err.print(plain(line), highlight=False)
        raise typer.Exit(1)
    if raw:
        sys.stdout.buffer.write(found.body)
        return
    if headers:
        for name, value in (("status", found.kept.status), *found.headers):
            out.print(plain(f"{name}: {value}"), highlight=False)
        return
    if not text:
        for line in shown.lines:
            out.print(plain(line), highlight=False)
        out.print(plain(f"Titel:     {title_of(found, shown.url, policy)}\n"), highlight=False)
    state = settings.home / "crawl_state" / f"{shown.slug}.json"
    furniture = json.loads(state.read_text(encoding="utf-8"))["furniture"] if state.exists() else []
    try:
        out.print(plain(text_as_read(found, shown.url, policy, frozenset(furniture))), highlight=False)
    except ValueError as problem:
        err.print(plain(f"Teksten kan ikke læses: {problem}"), highlight=False)
        raise typer.Exit(1) from None
