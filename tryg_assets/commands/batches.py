"""Commands about batches: send what is to be asked, see what waits, fetch what has ended."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from tryg_assets.commands.console import HomeOption, out, plain, settings_with
from tryg_assets.commands.money import say_most
from tryg_assets.errors import ConfigurationError


def batches(
    submit: Annotated[
        bool, typer.Option("--submit", help="First send what can be asked now of all pages that were kept.")
    ] = False,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", help="Give up this batch: its answers will never come. May be repeated."),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Fetch the batches of the engine claude that have ended, and show those that have not."""
    settings = settings_with(engine="claude", home=home)
    from tryg_assets.domain.coding.pages import all_kept_pages
    from tryg_assets.resources import Corpus
    from tryg_assets.storage import Lake

    corpus = Corpus()
    lake = Lake(corpus.settings.lake, corpus.settings.engine)
    asker = corpus.asker()
    for name in drop or []:
        out.print(
            f"{asker.batches.drop(name)} questions of {plain(name)} may be asked again. What was reserved for them counts until you "
            "decide whether it was charged: `tryg spend`."
        )
    ready = asker.batches.collect()
    for said, count in sorted(asker.batches.failed.items()):
        out.print(f"[yellow]{count} questions were not answered: {plain(said)}[/]")
    for name, trouble in asker.batches.troubles.items():
        out.print(
            f"[yellow]Batch {name} could not be fetched: {plain(trouble)} It is looked at again next time; if that will not help, give "
            f"it up: `tryg batches --drop {name}`.[/]"
        )
    if submit:
        say_most(settings, [], "batch")
        sent = asker.submit(all_kept_pages(lake, lake.municipalities("filtered_pages")))
        if not asker.batches.offered:
            raise ConfigurationError(
                f"{asker.batches.server.address} offers no batches, so nothing was sent. `tryg run --engine claude` asks the questions one by one."
            )
        out.print(f"{sent} questions sent. {plain(asker.batches.left)}".strip())
    waiting = asker.batches.open()
    if waiting:
        table = Table("batch", "questions", "municipalities", "sent")
        for one in waiting:
            state = f"{one.intended_at:%Y-%m-%d %H:%M}" if one.server_id else "not known: looked for again"
            table.add_row(
                one.server_id or one.batch_id, str(one.requests), str(len(one.municipalities)), state
            )
        out.print(table)
    out.print(f"{len(waiting)} batches wait for answers.")
    if ready:
        out.print(f"Answers are there for {len(ready)} municipalities: {', '.join(ready)}.")
    if not waiting:
        out.print(
            "Send what follows from the answers with `tryg batches --submit`; when 0 are sent: `tryg run --engine claude`."
        )
