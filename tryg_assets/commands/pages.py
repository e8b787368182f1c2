"""Commands about single pages: what happened to a page, and why."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from tryg_assets.commands.console import HomeOption, out, plain, settings_with


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
    from tryg_assets.storage import Lake

    lake = Lake(settings.lake, settings.engine)
    if municipality is not None:
        story = municipality_story(lake, pick(sites_of(settings), [municipality])[0].slug)
    else:
        assert address is not None
        story = page_story(lake, address)
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
