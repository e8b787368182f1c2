"""The command that says, before anyone codes, how many labels a claim needs."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from tryg_assets.commands.console import out


def plan(
    expected: Annotated[
        float,
        typer.Option("--expected", help="Agreement you expect between engine and people, such as 0.92."),
    ] = 0.92,
    half_width: Annotated[
        float, typer.Option("--half-width", help="How far the 95 % interval may reach to either side.")
    ] = 0.02,
    power: Annotated[
        float, typer.Option("--power", help="Probability that the labels show what is true.")
    ] = 0.80,
) -> None:
    """Say how many pages people must code for a claim about the agreement."""
    from tryg_assets.domain.reliability.gate import Gate
    from tryg_assets.domain.reliability.planning import MOST_LABELS
    from tryg_assets.domain.reliability.planning import plan as labels

    gate = Gate.load()
    floor, target = gate.agreement_floor, gate.agreement_target
    try:
        found = labels(expected, floor, target, half_width, power)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    table = Table(title=f"If the true agreement is {expected:.1%}", title_justify="left")
    table.add_column("claim")
    table.add_column("pages", justify="right")
    for claim, number in (
        (f"observed {expected:.1%} has a lower bound of at least {floor:.0%}", found.to_show_floor),
        (f"prove at least {floor:.0%}, with probability {power:.0%}", found.to_prove_floor),
        (f"prove at least {target:.0%}, with probability {power:.0%}", found.to_prove_target),
        (f"interval of at most {half_width:.1%} to either side", found.for_half_width),
    ):
        table.add_row(claim, f"{number:,}" if number else f"not with {MOST_LABELS:,}")
    out.print(table)
    out.print(
        "95 % Wilson intervals. Corrected numbers by type of municipality need more: the report says how many are missing.",
        highlight=False,
    )
