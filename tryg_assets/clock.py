"""The one clock. Everything that needs the time takes a ``Clock``, so that a test can stop it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present moment in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the one place


def fixed_clock(moment: datetime) -> Clock:
    """Return a clock that stands still at ``moment``."""
    return lambda: moment
