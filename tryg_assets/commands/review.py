"""Commands of the blind review: files out to people, files back, and how far everybody is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tryg_assets.commands.console import HomeOption, err, out, plain, settings_with
from tryg_assets.commands.planning import plan
from tryg_assets.errors import ConfigurationError

if TYPE_CHECKING:
    from tryg_assets.domain.review.desk import Desk

review = typer.Typer(
    no_args_is_help=True, help="The blind review: workbooks out to people, their answers back, agreement."
)
review.command()(plan)


def _desk(home: Path | None) -> Desk:
    settings = settings_with(home=home)
    from tryg_assets.clock import system_clock
    from tryg_assets.domain.review.desk import open_desk
    from tryg_assets.partitions import sites_of

    return open_desk(settings, {slug: site.name for slug, site in sites_of(settings).items()}, system_clock)


@review.command()
def export(
    reviewer: Annotated[
        list[str] | None,
        typer.Option("--reviewer", "-r", help="Name of a reviewer; repeat for each of them."),
    ] = None,
    overlap: Annotated[
        str,
        typer.Option(
            "--overlap", help="Pages that two reviewers code each for themselves: a number, or all."
        ),
    ] = "100",
    format: Annotated[str, typer.Option("--format", help="xlsx or label-studio.")] = "xlsx",
    adjudication: Annotated[
        bool,
        typer.Option(
            "--adjudication", help="Instead: the sheet of the disagreements that wait, for --reviewer."
        ),
    ] = False,
    reply: Annotated[
        list[str] | None,
        typer.Option(
            "--reply", help="Instead: the reply sheet of this municipality (slug, or all); may be repeated."
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write the files that go out, into TRYG_HOME/review/outbox. Name all reviewers at once: they share the pages."""
    if format not in ("xlsx", "label-studio"):
        raise typer.BadParameter(f"'{format}' is neither xlsx nor label-studio", param_hint="--format")
    if overlap != "all" and not overlap.isdecimal():
        raise typer.BadParameter(f"'{overlap}' is neither a number nor all", param_hint="--overlap")
    people = reviewer or []
    if not (people or reply):
        raise typer.BadParameter("name at least one", param_hint="--reviewer")
    if adjudication and len(people) != 1:
        raise typer.BadParameter("one person adjudicates; name one", param_hint="--reviewer")
    desk = _desk(home)
    from tryg_assets.domain.review import export as outgoing

    if reply:
        slugs = sorted(desk.names) if reply == ["all"] else reply
        written = outgoing.export_replies(desk, slugs)
    elif adjudication:
        written = outgoing.export_adjudication(desk, people[0])
    else:
        shared = None if overlap == "all" else int(overlap)
        written = outgoing.export_coding(
            desk, people, shared, "label-studio" if format == "label-studio" else "xlsx"
        )
    for path in written:
        out.print(str(path.resolve()), highlight=False)
    if not written:
        out.print("Nothing to send: everything is answered, and no disagreement waits.")


@review.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Workbooks, or JSON exported from Label Studio.")],
    home: HomeOption = None,
) -> None:
    """Read files that came back. Good rows are taken, the others are named with row and column; no answer is overwritten."""
    if absent := [path for path in files if not path.is_file()]:
        raise ConfigurationError(f"There is no file {absent[0]}.")
    desk = _desk(home)
    from tryg_assets.domain.review.inbox import import_file

    receipts = [import_file(desk, path) for path in files]
    for receipt in receipts:
        (out if receipt.whole else err).print(plain(receipt.text()), highlight=False)
    if any(receipt.taken for receipt in receipts):
        out.print("Now run: tryg report")
    if not all(receipt.whole for receipt in receipts):
        raise typer.Exit(1)


@review.command()
def status(home: HomeOption = None) -> None:
    """Show how far each reviewer is, and which disagreements wait."""
    desk = _desk(home)
    from tryg_assets.domain.review.progress import progress

    found = progress(desk)
    table = Table("reviewer", "sent", "answered", "left", "doubt", "areas not complete")
    for row in found.reviewers:
        table.add_row(
            plain(row.name), *(str(n) for n in (row.sent, row.answered, row.left, row.doubt, row.incomplete))
        )
    out.print(table)
    out.print(f"Pages coded by two or more: {found.double_coded}, alike on all: {found.alike}.")
    out.print(f"Disagreements waiting for adjudication: {found.waiting}.")
    out.print(f"Gold versions: {', '.join(found.gold_versions) or 'none yet'}.")
    out.print(f"Replies of municipalities: {found.replies}. Files in the inbox: {found.inbox}.")
