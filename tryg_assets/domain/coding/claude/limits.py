"""How much the engine asks at once and how often, from ``data/claude.yml``."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from tryg_assets import paths
from tryg_assets.domain.reference import read_typed


class BatchLimits(BaseModel):
    """When a batch is used, and how large it may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least: PositiveInt
    most: PositiveInt
    megabytes: PositiveInt
    unsure_minutes: NonNegativeInt
    tries: PositiveInt


class Limits(BaseModel):
    """The limits, see the comments of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: PositiveInt
    retries: NonNegativeInt
    seconds: PositiveInt
    asks: PositiveInt
    lease_seconds: PositiveInt
    most_rejected: PositiveInt
    unpaid: tuple[str, ...]
    batch: BatchLimits

    @classmethod
    def load(cls, path: Path | None = None) -> Limits:
        """Read ``data/claude.yml``.

        Raises:
            DataFileError: a field is missing, unknown or no whole number; the message names it.
        """
        return read_typed(path or paths.DATA / "claude.yml", cls)
