"""``tryg review plan``: how many pages to code."""

from __future__ import annotations

from typer.testing import CliRunner

from tryg_assets.cli import app


def test_the_plan_names_each_claim_with_its_number_of_pages() -> None:
    said = CliRunner().invoke(app, ["review", "plan", "--expected", "0.94"], terminal_width=120)
    assert said.exit_code == 0, said.output
    for claim, pages in (
        ("has a lower bound of at least 85%", "74"),
        ("to either side", "542"),
        ("at least 94%", "not with"),
    ):
        (line,) = [line for line in said.output.splitlines() if claim in line]
        assert pages in line


def test_what_is_no_share_is_refused() -> None:
    said = CliRunner().invoke(app, ["review", "plan", "--expected", "94"])
    assert said.exit_code == 2
    assert "94.0 is no share" in said.output
