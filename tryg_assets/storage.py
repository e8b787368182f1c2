"""The lake: Parquet, one file per table and municipality, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tryg_assets.contracts import contract
from tryg_assets.errors import ConfigurationError, DataFileError


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``target`` and rename it to ``target`` when the block ends well.

    A killed process leaves the old file untouched and at most a ``.part`` file, which no reader looks at.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write ``text`` to ``target`` atomically, as UTF-8."""
    with atomic_path(target) as part:
        part.write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Lake:
    """Typed tables under one folder: ``<table>[/engine=<id>][/municipality=<slug>]/data.parquet``."""

    root: Path
    engine: str

    def path(self, table: str, municipality: str | None = None) -> Path:
        """Return where a table (or one municipality's part of it) is stored."""
        wanted = contract(table)
        folder = self.root / table
        if wanted.by_engine:
            folder /= f"engine={self.engine}"
        if wanted.partitioned:
            if municipality is None:
                raise ConfigurationError(f"Table {table} is stored by municipality; name one.")
            folder /= f"municipality={municipality}"
        return folder / "data.parquet"

    def write(self, table: str, rows: pl.DataFrame, municipality: str | None = None) -> Path:
        """Check ``rows`` against the contract and write them atomically. Returns the file's path.

        Raises:
            ContractError: the rows break the contract; nothing is written and the old file stays.
        """
        rows = contract(table).conform(rows)
        target = self.path(table, municipality)
        with atomic_path(target) as part:
            rows.write_parquet(part, compression="zstd", statistics=True)
        return target

    def read(self, table: str, municipality: str | None = None) -> pl.DataFrame:
        """Return one stored part; the typed empty table if it was never written."""
        path = self.path(table, municipality)
        try:
            return (
                pl.read_parquet(path, hive_partitioning=False) if path.exists() else contract(table).empty()
            )
        except pl.exceptions.PolarsError as problem:
            remedy = "Delete it; the next run makes it again from what was read, or reads the website again."
            raise DataFileError(path, "file", f"it is damaged ({problem})", remedy) from None

    def municipalities(self, table: str) -> list[str]:
        """Return the slugs that have a stored part of ``table``, sorted."""
        wanted = self.path(table, "*")
        return sorted(
            path.parent.name.partition("=")[2]
            for path in wanted.parent.parent.glob("municipality=*/data.parquet")
        )

    def scan(self, table: str) -> pl.LazyFrame:
        """Return all parts of ``table`` as one lazy frame, sorted by key when collected by the caller.

        Files of municipalities that are no longer in the list of sites are the caller's concern.
        """
        wanted = contract(table)
        if not wanted.partitioned:
            return self.read(table).lazy()
        files = [self.path(table, slug) for slug in self.municipalities(table)]
        if not files:
            return wanted.empty().lazy()
        return pl.scan_parquet(files, hive_partitioning=False)

    def rows(self, table: str, column: str, values: Collection[str]) -> list[dict[str, Any]]:
        """Return the rows of all parts of ``table`` whose ``column`` is one of ``values``, sorted by it."""
        found = self.scan(table).filter(pl.col(column).is_in(list(values)))
        return found.collect().sort(column).to_dicts()
