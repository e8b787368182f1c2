"""Settings of all tests, and the state databases they run on."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings

# Same examples in every run, nothing stored beside the code, and no time limit for one example: runners are shared.
settings.register_profile("tryg", derandomize=True, deadline=None, database=None)
settings.load_profile("tryg")

# A server on which databases may be made, e.g. postgresql+psycopg2://tryg@127.0.0.1/postgres (deploy/README.md).
POSTGRES = os.environ.get("TEST_POSTGRES_URL")
WITHOUT = pytest.mark.skipif(POSTGRES is None, reason="TEST_POSTGRES_URL names no PostgreSQL")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=WITHOUT)])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty state database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'state.db'}"
        return
    assert POSTGRES is not None
    name = f"tryg_test_{uuid.uuid4().hex}"
    server = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield sa.make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()
