"""Commands of the blind review."""

from __future__ import annotations

import typer

from tryg_assets.commands.planning import plan

review = typer.Typer(no_args_is_help=True, help="The blind review: how many pages to code.")
review.command()(plan)


@review.callback()
def _review() -> None:
    """Keep ``plan`` a command of its own while it is the only one."""
