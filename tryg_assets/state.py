"""The state database: what must be transactional and can never be made again (answers paid for, answers typed).

Every table of it is defined here. SQLite in WAL mode by default, any other database by address (``TRYG_STATE_URL``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, OperationalError

from tryg_assets.errors import ConfigurationError, StateNotWritten

SCHEMA_VERSION = 1
metadata = sa.MetaData()

_version = sa.Table("state_version", metadata, sa.Column("version", sa.Integer, primary_key=True))

# One row per request to a model that was or may have been charged. Money is whole millionths of a micro-dollar (1e-12 US
# dollars), in which every price of data/prices.yml is exact. ``counted_pico_usd`` is what a cap counts: the worst case
# while a request is open, what it cost when settled, 0 when released. The tokens are the worst case until an answer has said
# otherwise; ``request_key`` names that answer and is empty when a person decided. Moments are ISO 8601 in UTC.
spend = sa.Table(
    "spend",
    metadata,
    sa.Column("reservation_id", sa.String(32), primary_key=True),
    sa.Column("request_key", sa.String(128)),
    sa.Column("run_id", sa.String(128), nullable=False),
    sa.Column("month", sa.String(7), nullable=False),
    sa.Column("task", sa.String(64), nullable=False),
    sa.Column("municipality", sa.String(128), nullable=False),
    sa.Column("model", sa.String(128), nullable=False),
    sa.Column("batch", sa.Boolean, nullable=False),
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("counted_pico_usd", sa.BigInteger, nullable=False),
    *(
        sa.Column(f"{kind}_tokens", sa.BigInteger, nullable=False)
        for kind in ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
    ),
    sa.Column("reserved_at", sa.String(32), nullable=False),
    sa.Column("decided_at", sa.String(32)),
    sa.CheckConstraint("status IN ('open', 'settled', 'released')", name="spend_status"),
    # Covering: the sums under a cap are read from the index alone.
    sa.Index("spend_by_run", "run_id", "counted_pico_usd"),
    sa.Index("spend_by_month", "month", "counted_pico_usd"),
    sa.Index("spend_by_status", "status"),
)

# One row per question to a model and time it was asked. ``key`` is a hash of the columns from ``page_sha`` to ``params_sha``; a
# question asked again because its answer could not be used is a further attempt. ``asked`` is a claim that holds until
# ``lease_until``, ``batched`` one that holds as long as its batch, ``answered`` is paid for and never changed. ``raw`` is the
# answer as it came, ``reservation`` what it was paid with. Moments are ISO 8601 in UTC.
decision = sa.Table(
    "decision",
    metadata,
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    *(
        sa.Column(name, sa.String(128), nullable=False)
        for name in ("page_sha", "task", "codebook_sha", "prompt_sha", "schema_sha", "model", "params_sha")
    ),
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("lease_until", sa.String(32)),
    sa.Column("batch_id", sa.String(32)),
    sa.Column("reservation", sa.String(32)),
    sa.Column("municipality", sa.String(128), nullable=False),
    sa.Column("run_id", sa.String(128), nullable=False),
    sa.Column("raw", sa.Text),
    sa.Column("stop_reason", sa.String(64)),
    sa.Column("usage", sa.Text),
    sa.Column("cost_usd", sa.String(32)),
    sa.Column("moment", sa.String(32), nullable=False),
    sa.CheckConstraint("status IN ('asked', 'batched', 'answered')", name="decision_status"),
    sa.CheckConstraint("status <> 'answered' OR raw IS NOT NULL", name="decision_answered"),
    sa.Index("decision_by_batch", "batch_id"),
    sa.Index("decision_by_owner", "owner", "status"),
)

# One row per batch, written before it is sent. ``server_id`` is empty until the server has said that it has it; ``municipalities``
# are those with a page that waits for it.
batch = sa.Table(
    "batch",
    metadata,
    sa.Column("batch_id", sa.String(32), primary_key=True),
    sa.Column("server_id", sa.String(128), unique=True),
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("requests", sa.Integer, nullable=False),
    sa.Column("municipalities", sa.Text, nullable=False),
    sa.Column("run_id", sa.String(128), nullable=False),
    sa.Column("intended_at", sa.String(32), nullable=False),
    sa.Column("stored_at", sa.String(32)),
    sa.CheckConstraint("status IN ('intended', 'sent', 'stored', 'lost')", name="batch_status"),
)

# One row per request of a batch that the server could not answer, and what it said about it.
batch_error = sa.Table(
    "batch_error",
    metadata,
    sa.Column("batch_id", sa.String(32), primary_key=True),
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("error_type", sa.String(64), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("moment", sa.String(32), nullable=False),
    sa.Index("batch_error_by_key", "key"),
)


# The pages that are asked again at every change of engine, model or codebook, with their texts as they were when chosen.
canary = sa.Table(
    "canary",
    metadata,
    sa.Column("page_id", sa.String(64), primary_key=True),
    sa.Column("municipality", sa.String(128), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("chosen_at", sa.String(32), nullable=False),
)

# What was answered about them, by engine and version of it (its codebook hash). ``focus_areas`` are ids separated by "|".
canary_answer = sa.Table(
    "canary_answer",
    metadata,
    sa.Column("engine", sa.String(64), primary_key=True),
    sa.Column("version", sa.String(64), primary_key=True),
    sa.Column("page_id", sa.String(64), primary_key=True),
    sa.Column("is_initiative", sa.String(8), nullable=False),
    sa.Column("focus_areas", sa.Text, nullable=False),
    sa.Column("rationale", sa.Text, nullable=False),
    sa.Column("answered_at", sa.String(32), nullable=False),
)


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
    reading a sum and adding to it is one step for two processes. What only reads uses ``reading``.

    Raises:
        ConfigurationError: it cannot be opened, is damaged, or a newer version of this program wrote it.
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
    except (DatabaseError, sa.exc.ArgumentError, ModuleNotFoundError) as problem:
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


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a transaction that only reads: it waits for no writer and keeps none waiting."""
    with engine.connect().execution_options(reading=True) as connection:
        yield connection


@contextmanager
def locked(
    engine: sa.Engine, table: sa.Table, connection: sa.Connection | None = None
) -> Iterator[sa.Connection]:
    """Yield a transaction (the caller's, if given) in which no other process can write to ``table``: what it reads stays true.

    On SQLite every transaction of ours is that; Postgres is told by name.

    Raises:
        StateNotWritten: the database cannot be written (a full disk); what was stored before is safe.
    """
    try:
        with nullcontext(connection) if connection is not None else engine.begin() as held:
            if engine.dialect.name == "postgresql":
                held.execute(sa.text(f"LOCK TABLE {table.name} IN EXCLUSIVE MODE"))
            yield held
    except OperationalError as problem:
        raise StateNotWritten(
            f"The state database cannot be written ({problem.orig}). All that was stored before is safe. Make room on the disk or "
            "mend its rights, then start the run again: it goes on from there."
        ) from problem


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction control would begin too late (https://docs.sqlalchemy.org, "pysqlite", transactions).
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: sa.Connection) -> None:
    reads = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
