"""The graph that people see in the Dagster UI: what is in it, and that everything in it explains itself."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import yaml

from tryg_assets import automation, paths
from tryg_assets.definitions import defs
from tryg_assets.partitions import municipalities

NIGHT = datetime(2026, 11, 23, 1, 15, tzinfo=UTC)
SNAPSHOT = Path(__file__).with_name("graph.txt")
GRAPH = defs.resolve_asset_graph()
ASSETS = sorted(GRAPH.get_all_asset_keys())
CHECKS = sorted(GRAPH.asset_check_keys, key=lambda key: (key.asset_key, key.name))


def picture() -> str:
    """Return one line per asset and check: small enough to be read in a review."""
    lines = []
    for key in ASSETS:
        node = GRAPH.get(key)
        parents = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys))
        lines.append(
            f"{key.to_user_string()} [{node.group_name}{' /98' if node.is_partitioned else ''}] <- {parents}"
        )
    for check in CHECKS:
        blocking = GRAPH.get_check_spec(check) if hasattr(GRAPH, "get_check_spec") else None
        lines.append(
            f"check {check.asset_key.to_user_string()}:{check.name}{' blocking' if blocking and blocking.blocking else ''}"
        )
    lines += [f"job {job.name}" for job in automation.jobs]
    lines += [
        f"schedule {schedule.name} {schedule.cron_schedule} -> {schedule.job_name}"
        for schedule in automation.schedules
    ]
    lines += [f"sensor {sensor.name} -> {sensor.job_name}" for sensor in automation.sensors]
    return "\n".join(lines) + "\n"


def test_the_graph_is_the_one_that_was_reviewed() -> None:
    """If this fails on purpose: look at the difference and write ``picture()`` to graph.txt."""
    assert picture() == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "registered"),
    [(dg.ScheduleDefinition, automation.schedules), (dg.SensorDefinition, automation.sensors)],
)
def test_what_automation_defines_is_in_the_ui(kind: type, registered: list[object]) -> None:
    """A definition that is in no list is not missed by anybody until it ought to have run."""
    written = [value for value in vars(automation).values() if isinstance(value, kind)]
    assert written
    assert all(any(value is one for one in registered) for value in written)


@pytest.mark.parametrize("key", ASSETS, ids=lambda key: key.to_user_string())
def test_every_asset_says_what_it_is(key: dg.AssetKey) -> None:
    node = GRAPH.get(key)
    assert node.description
    assert "Grain: " in node.description
    assert node.owners
    assert node.kinds
    assert node.code_version
    assert node.group_name[1] == "_", "groups sort left to right by a letter"


@pytest.mark.parametrize("key", CHECKS, ids=lambda key: f"{key.asset_key.to_user_string()}:{key.name}")
def test_every_check_says_what_it_means_and_what_to_do(key: dg.AssetCheckKey) -> None:
    specs = [spec for check in defs.asset_checks or [] for spec in check.check_specs if spec.key == key]  # type: ignore[union-attr]
    assert len(specs) == 1
    assert specs[0].description
    assert specs[0].metadata["what_to_do"]


def test_every_municipality_table_and_check_shares_the_one_partitions_definition() -> None:
    partitioned = [key.to_user_string() for key in ASSETS if GRAPH.get(key).is_partitioned]
    assert partitioned == [
        "actor_entities", "actor_mentions", "classified_initiatives", "crawl_log", "filtered_pages", "page_codings", "raw_crawl",
    ]  # fmt: skip
    assert all(GRAPH.get(dg.AssetKey(name)).partitions_def == municipalities for name in partitioned)
    assert len(municipalities.get_partition_keys()) == 98


def test_every_pool_named_in_code_has_a_limit_in_the_shipped_instance() -> None:
    config = yaml.safe_load(paths.DAGSTER_YAML.read_text(encoding="utf-8"))
    assert config["telemetry"]["enabled"] is False
    assert config["concurrency"]["pools"]["granularity"] == "op"
    pools = {
        op.pool
        for assets in defs.assets or []
        if isinstance(assets, dg.AssetsDefinition)
        for op in [assets.op]
        if op.pool
    }
    assert pools == {"duckdb_writer"}
    assert config["concurrency"]["pools"]["default_limit"] == 1, (
        "the limit of every pool that names none of its own"
    )


def test_importing_the_definitions_opens_no_socket_and_writes_no_file(tmp_path: Path) -> None:
    program = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('socket opened')\n"
        "socket.socket.connect = refuse\n"
        "import tryg_assets.definitions\n"
        "assert 'anthropic' not in sys.modules and 'great_expectations' not in sys.modules and 'altair' not in sys.modules\n"
    )
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(paths.PROJECT),
        "HOME": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("keys", "tried", "most", "expected"),
    [
        (["c", "a", "b"], {}, 2, ["a", "b"]),
        (["a", "b", "c"], {"a": 5, "b": 3}, 2, ["c", "b"]),
        (["a", "b"], {"a": 1, "b": 1}, 14, ["a", "b"]),
        ([], {}, 14, []),
    ],
)
def test_the_stalest_are_those_never_tried_and_then_those_tried_longest_ago(
    keys: list[str], tried: dict[str, int], most: int, expected: list[str]
) -> None:
    assert automation.stalest(keys, tried, most) == expected


def test_seven_nights_reach_all_98() -> None:
    tried: dict[str, int] = {}
    for night in range(7):
        for slug in automation.stalest(municipalities.get_partition_keys(), tried):
            tried[slug] = night
    assert sorted(tried) == sorted(municipalities.get_partition_keys())


def test_the_nightly_schedule_asks_for_fourteen_runs_of_one_municipality_each() -> None:
    with dg.DagsterInstance.local_temp() as instance:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=NIGHT)
        requests = list(automation.nightly_refresh(context))
    assert len(requests) == automation.TONIGHT
    assert len({request.partition_key for request in requests}) == automation.TONIGHT
    assert all(request.run_key and request.partition_key in request.run_key for request in requests)


def test_the_publish_schedule_asks_for_one_run_of_the_national_numbers() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        request = automation.morning_publication(
            dg.build_schedule_context(instance=instance, scheduled_execution_time=NIGHT)
        )
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key is None
    selected = automation.COUNTRY.resolve(GRAPH)
    assert not any(GRAPH.get(key).is_partitioned for key in selected)
    assert dg.AssetKey("report") in selected
