"""How much memory a measured process took at most."""

from __future__ import annotations

import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak() -> float:
    """Return the most memory that this process has held so far, in MB (10^6 bytes).

    Linux starts a new program's ``ru_maxrss`` at the peak of the process that started it, so ``/proc`` is asked there.
    """
    if _STATUS.exists():
        (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS
