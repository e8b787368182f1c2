"""How much the engine asks at once and how often, from ``data/claude.yml``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tryg_assets import paths
from tryg_assets.domain.reference import read_yaml
from tryg_assets.errors import DataFileError


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """When a batch is used, and how large it may be."""

    least: int
    most: int
    megabytes: int
    unsure_minutes: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits, see the comments of the file."""

    concurrency: int
    retries: int
    seconds: int
    asks: int
    lease_seconds: int
    most_rejected: int
    batch: BatchLimits

    @classmethod
    def load(cls, path: Path | None = None) -> Limits:
        """Read ``data/claude.yml``.

        Raises:
            DataFileError: a field is missing or no whole number from 1 (``retries``: from 0); the message names it.
        """
        path = path or paths.DATA / "claude.yml"
        raw = read_yaml(path)
        batch = raw.get("batch") if isinstance(raw, dict) else None
        plain = [field.name for field in fields(cls) if field.name != "batch"]
        return cls(
            **{name: _whole(path, "file", raw, name) for name in plain},
            batch=BatchLimits(**{f.name: _whole(path, "batch", batch, f.name) for f in fields(BatchLimits)}),
        )


def _whole(path: Path, where: str, raw: Any, name: str) -> int:
    found = raw.get(name) if isinstance(raw, dict) else None
    if not isinstance(found, int) or found < (0 if name == "retries" else 1):
        raise DataFileError(path, where, f"{name} '{found}' is no whole number from 1", "Compare with git.")
    return found
