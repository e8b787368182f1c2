"""The state database: one writer at a time, nothing silently opened that is not ours."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from tryg_assets.errors import ConfigurationError
from tryg_assets.state import open_state


def test_two_writers_reading_and_adding_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    with open_state(url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE counter (value INTEGER)")
        connection.exec_driver_sql("INSERT INTO counter VALUES (0)")

    def add() -> None:
        engine = open_state(url)
        for _ in range(50):
            with engine.begin() as connection:
                value = connection.exec_driver_sql("SELECT value FROM counter").scalar_one()
                connection.exec_driver_sql(f"UPDATE counter SET value = {value + 1}")
        engine.dispose()

    writers = [threading.Thread(target=add) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with open_state(url).connect() as connection:
        assert connection.exec_driver_sql("SELECT value FROM counter").scalar_one() == 200


def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    with open_state(url).begin() as connection:
        connection.execute(sa.text("UPDATE state_version SET version = 99"))
    with pytest.raises(ConfigurationError, match="version 99"):
        open_state(url)


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("no database" * 500, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"state\.db cannot be opened: file is not a database"):
        open_state(f"sqlite:///{tmp_path / 'state.db'}")


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all/state.db", "not an address"])
def test_a_database_that_cannot_be_opened_is_named(url: str) -> None:
    with pytest.raises(ConfigurationError, match="TRYG_STATE_URL"):
        open_state(url)
