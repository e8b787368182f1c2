"""The state database: what must be transactional and can never be made again (answers paid for, answers typed).

Every table of it is defined here. SQLite in WAL mode by default, any other database by address (``TRYG_STATE_URL``).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tryg_assets.errors import ConfigurationError

SCHEMA_VERSION = 1
metadata = sa.MetaData()

_version = sa.Table("state_version", metadata, sa.Column("version", sa.Integer, primary_key=True))


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String, nullable=False) for name in names]


def _answer() -> list[sa.Column[Any]]:
    """What was answered about a page: ``areas`` is {area: yes or no} of those answered."""
    return [
        *_texts("municipality", "url", "text_sha256", "decision"),
        sa.Column("areas", sa.JSON, nullable=False),
    ]


def _received() -> list[sa.Column[Any]]:
    """The how-manieth answer it is, when it came and in which file."""
    return [
        sa.Column("version", sa.Integer, nullable=False),
        *_texts("answered_at", "file", "file_sha256"),
    ]


# Blind review. Nothing here is updated or deleted: a changed answer is a new row with the next version.
assignments = sa.Table(
    "assignments",
    metadata,
    sa.Column("reviewer", sa.String, primary_key=True),
    sa.Column("page_id", sa.String, primary_key=True),
    *_texts("exported_at"),
)
codings = sa.Table(
    "codings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    *_texts("kind", "coder", "page_id"),  # kind: coding (blind) or adjudication
    *_answer(),
    sa.Column("quotes", sa.JSON, nullable=False),  # [{label, text}], marked on the page
    *_texts("comment"),
    *_received(),
    sa.UniqueConstraint("kind", "coder", "page_id", "version"),
)
gold_answers = sa.Table(
    "gold_answers",
    metadata,
    sa.Column("gold_version", sa.String, primary_key=True),
    sa.Column("page_id", sa.String, primary_key=True),
    *_answer(),
    *_texts("made_at"),
)
replies = sa.Table(
    "replies",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    *_texts("municipality", "subject"),  # subject: initiative_id, or an id of the missing one's name and link
    sa.Column("initiative_id", sa.String),
    *_texts("name", "answer", "link", "comment"),  # answer: agree, disagree or missing
    *_received(),
    sa.UniqueConstraint("municipality", "subject", "version"),
)


def open_state(url: str) -> sa.Engine:
    """Open the state database at ``url`` and create the tables it lacks.

    On SQLite a block under ``engine.begin()`` holds the write lock from its first statement (BEGIN IMMEDIATE), so that
    reading a sum and adding to it is one step for two processes.

    Raises:
        ConfigurationError: it cannot be opened, or a newer version of this program wrote it.
    """
    try:
        engine = sa.create_engine(
            url, connect_args={"timeout": 60} if sa.make_url(url).drivername.startswith("sqlite") else {}
        )
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _prepare_sqlite)
            sa.event.listen(engine, "begin", _begin_immediate)
        with engine.begin() as connection:
            metadata.create_all(connection)
            found = connection.execute(sa.select(_version.c.version)).scalar()
            if found is None:
                connection.execute(_version.insert().values(version=SCHEMA_VERSION))
    except (OperationalError, sa.exc.ArgumentError, ModuleNotFoundError) as problem:
        reason = getattr(problem, "orig", None) or problem
        raise ConfigurationError(
            f"The state database {sa.engine.url.make_url(url).render_as_string() if '://' in url else url} cannot be opened: "
            f"{reason}. Check TRYG_HOME or TRYG_STATE_URL."
        ) from problem
    if found is not None and found > SCHEMA_VERSION:
        raise ConfigurationError(
            f"The state database has version {found}, this program knows {SCHEMA_VERSION}. Use the newer program."
        )
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction control would begin too late (https://docs.sqlalchemy.org, "pysqlite", transactions).
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
