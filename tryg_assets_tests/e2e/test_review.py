"""The whole round trip: out to two coders played by a script, back through the inbox, adjudicated, compared."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from typer.testing import CliRunner

from tryg_assets import automation
from tryg_assets.cli import app
from tryg_assets.definitions import defs
from tryg_assets.domain.review.words import review_words
from tryg_assets.storage import Lake
from tryg_assets_tests.domain.review.conftest import AREAS, SLUG, Fill, fill, page_id, put

pytestmark = pytest.mark.slow
PLANS = {
    f"/plan-{n}": f"# Tryghedsplan nr. {n}\nByrådet har vedtaget en tryghedsplan for bydel {n}.\nDer er afsat {n}00.000 kr. til tryghedsvandringer."
    for n in range(1, 21)
}
OTHERS = {
    f"/side-{n}": f"# Kontor {n}\nDu kan trygt kontakte kontor {n} i åbningstiden, hvis du har spørgsmål til din sag."
    for n in range(1, 21)
}
TRUTH = {page_id(path): path in PLANS for path in PLANS | OTHERS}
ERRORS = {"script-anne": 0.10, "script-bo": 0.20}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRYG_HOME", str(tmp_path))
    put(Lake(tmp_path / "lake", "offline-rules"), PLANS | OTHERS)
    return tmp_path


def tryg(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def script(name: str) -> tuple[Fill, set[str]]:
    """Play a coder who errs at a known rate; returns what it says and the pages it gets wrong."""
    chance = random.Random(name)
    wrong = {page for page in sorted(TRUTH) if chance.random() < ERRORS[name]}

    def said(page: str, _row: Any) -> dict[str, object]:
        if TRUTH[page] == (page in wrong):
            return {"decision": "ikke indsats"}
        return {"decision": "indsats", AREAS[0]: "ja", "rest": "resten er nej"}

    return said, wrong


def run_as_the_sensor_asks() -> None:
    """Let the sensor look twice, as the daemon does, and run what it asks for."""
    with dg.DagsterInstance.ephemeral() as instance:
        first = automation.review_inbox_sensor(dg.build_sensor_context(instance=instance))
        assert isinstance(first, dg.SensorResult)
        assert not first.run_requests, "a file that just came may still be being copied"
        again = automation.review_inbox_sensor(
            dg.build_sensor_context(instance=instance, cursor=first.cursor)
        )
        assert isinstance(again, dg.SensorResult)
        assert len(again.run_requests or []) == 1
        done = defs.resolve_job_def(automation.read_answers.name).execute_in_process(instance=instance)
        assert done.success
        after = automation.review_inbox_sensor(
            dg.build_sensor_context(instance=instance, cursor=again.cursor)
        )
        assert isinstance(after, dg.SensorResult)
        assert not after.run_requests


def table(home: Path, name: str) -> pl.DataFrame:
    return Lake(home / "lake", "offline-rules").read(name)


def relevance(home: Path, version: str) -> dict[tuple[str, str], str]:
    rows = table(home, "human_codings").filter(
        (pl.col("gold_version") == version) & (pl.col("task") == "relevance")
    )
    return {(row["coder"], row["page_id"]): row["value"] for row in rows.iter_rows(named=True)}


def test_two_coders_are_sent_read_compared_and_adjudicated(home: Path) -> None:
    names = [argument for name in ERRORS for argument in ("--reviewer", name)]
    tryg("review", "export", *names, "--overlap", "all")
    outbox, inbox = home / "review" / "outbox", home / "review" / "inbox"
    inbox.mkdir()
    wrong: dict[str, set[str]] = {}
    for name in ERRORS:
        said, wrong[name] = script(name)
        shutil.move(fill(outbox / f"kodning-{name}.xlsx", said), inbox / f"{name}.xlsx")
    assert all(wrong.values()), "both scripts err somewhere"
    run_as_the_sensor_asks()
    assert sorted(path.name for path in (home / "review" / "done").glob("*.xlsx")) == [
        "script-anne.xlsx",
        "script-bo.xlsx",
    ]
    blind = relevance(home, "blind")
    assert len(blind) == 2 * len(TRUTH)
    for name in ERRORS:
        assert {page for page in TRUTH if (blind[name, page] == "yes") != TRUTH[page]} == wrong[name]

    disputed = wrong["script-anne"] ^ wrong["script-bo"]
    assert f"Disagreements waiting for adjudication: {len(disputed)}." in tryg("review", "status")
    tryg("review", "export", "--adjudication", "--reviewer", "script-kirsten")
    judged = fill(
        outbox / "afgoerelse-script-kirsten.xlsx",
        lambda page, _: (
            {"decision": "indsats", AREAS[0]: "ja", "rest": "resten er nej"}
            if TRUTH[page]
            else {"decision": "nej"}
        ),
    )
    assert "ny version adjudicated-1" in tryg("review", "import", str(judged))
    assert "Gold versions: adjudicated-1" in tryg("review", "status")
    with dg.DagsterInstance.ephemeral() as instance:
        assert (
            defs.resolve_job_def(automation.read_answers.name).execute_in_process(instance=instance).success
        )
    gold = relevance(home, "adjudicated-1")
    both_wrong = wrong["script-anne"] & wrong["script-bo"]
    assert {page for (_, page), value in gold.items() if (value == "yes") != TRUTH[page]} == both_wrong
    agreement = table(home, "agreement").filter(pl.col("n") > 0)
    assert {"blind", "adjudicated-1"} <= set(agreement["gold_version"])


def test_a_municipalitys_reply_reaches_the_table_of_replies(home: Path) -> None:
    tryg("review", "export", "--reply", SLUG)
    inbox = home / "review" / "inbox"
    inbox.mkdir()
    import openpyxl

    book = openpyxl.load_workbook(home / "review" / "outbox" / f"svar-{SLUG}.xlsx")
    book[review_words().sheets["missing"]]["A2"].value = "Trygge stier"
    book.save(inbox / "svar.xlsx")
    run_as_the_sensor_asks()
    assert table(home, "municipality_replies").select("municipality", "name", "answer").rows() == [
        (SLUG, "Trygge stier", "missing")
    ]


def test_a_bad_file_ends_with_exit_code_1_and_a_reason(home: Path, tmp_path: Path) -> None:
    bad = tmp_path / "indkøb.xlsx"
    bad.write_bytes(b"mel")
    done = CliRunner().invoke(app, ["review", "import", str(bad)])
    assert done.exit_code == 1
    assert "ikke et helt Excel-ark" in done.output


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--reviewer", "Anne", "--format", "pdf"),
        ("--reviewer", "Anne", "--overlap", "mange"),
        ("--reviewer", "Anne", "--reviewer", "Bo", "--adjudication"),
    ],
)
def test_options_that_make_no_sense_are_refused(home: Path, arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, ["review", "export", *arguments]).exit_code == 2
