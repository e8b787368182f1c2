"""The crawl as an asset: the archive ends a crawl only when both tables of it are stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tryg_assets.assets.raw_crawl import crawl_site
from tryg_assets.domain.crawling.archive import read_record
from tryg_assets.resources import LakeIOManager, default_resources
from tryg_assets.storage import Lake
from tryg_assets_tests.loopback import Server, page, serve

SLUG = "albertslund"


class Broken(LakeIOManager):
    """Fails when it is to store one table, as a full disk would."""

    table: str

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        if context.asset_key.path[-1] == self.table:
            raise OSError(28, "No space left on device")
        super().handle_output(context, obj)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    site = {
        "/": page('<p>En tryg by.</p><a href="/plan">Plan</a>'),
        "/plan": page("<p>Plan for tryghed.</p>"),
    }
    with serve(site) as running:
        sites = tmp_path / "sites.csv"
        sites.write_text(
            f"slug,name,type,website,address\n{SLUG},A,opland,http://www.a.test/,{running.address}\n",
            encoding="utf-8",
        )
        settings = {"HOME": tmp_path, "SOURCE": "sites", "SITES_FILE": sites}
        for name, value in settings.items():
            monkeypatch.setenv(f"TRYG_{name}", str(value))
        yield running


def crawl(**resources: object) -> bool:
    return dg.materialize(
        [crawl_site],
        partition_key=SLUG,
        resources={**default_resources(), **resources},
        raise_on_error=False,
    ).success


@pytest.mark.parametrize("table", ["raw_crawl", "crawl_log"])
def test_a_crawl_whose_tables_could_not_be_stored_is_gone_on_with_and_asks_nothing_again(
    server: Server, tmp_path: Path, table: str
) -> None:
    assert not crawl(io_manager=Broken(table=table))
    assert [path.suffix for path in (tmp_path / "archive" / SLUG).iterdir()] == [".open"]
    asked = server.paths()
    assert crawl()
    assert server.paths() == asked
    assert sorted(path.suffix for path in (tmp_path / "archive" / SLUG).iterdir()) == [".cdxj", ".gz"]
    rows = Lake(tmp_path / "lake", "offline-rules").read("raw_crawl", SLUG)
    assert {
        row["url"]: b"tryg" in read_record(tmp_path / "archive", row["archive_record"])
        for row in rows.to_dicts()
    } == {
        "http://www.a.test/": True,
        "http://www.a.test/plan": True,
    }
