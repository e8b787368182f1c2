"""How far the crawls are: each writes a small file, anyone may read them all (the command line, a second terminal)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tryg_assets.storage import write_text

_WRITE_EVERY = 1.0
_SAY_EVERY = 30.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the crawl of one site is: addresses asked, pages with the stem among them, addresses waiting, seconds."""

    slug: str
    asked: int
    hits: int
    waiting: int
    seconds: float

    @property
    def rate(self) -> float:
        """Addresses asked per second."""
        return self.asked / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds for what is waiting now, at the rate so far; new links make it more. ``None`` before the first answer."""
        return self.waiting / self.rate if self.rate else None

    def __str__(self) -> str:
        left = f", about {self.seconds_left / 60:.0f} min left" if self.seconds_left is not None else ""
        return (
            f"{self.asked:,} addresses asked ({self.rate:.1f} a second), {self.hits:,} with the stem, "
            f"{self.waiting:,} waiting{left}"
        )


class Reporter:
    """Notes the standing of one crawl in a file, and now and then says it; the file goes when the crawl is over."""

    def __init__(
        self,
        home: Path,
        slug: str,
        say: Callable[[str], None] | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._slug = _folder(home) / f"{slug}.json", slug
        self._say, self._seconds = say, seconds
        self._start = self._written = self._said = seconds()

    def __call__(self, asked: int, hits: int, waiting: int) -> None:
        """Note the standing, at most once a second, and say it every half minute."""
        now = self._seconds()
        if now - self._written < _WRITE_EVERY:
            return
        self._written = now
        standing = Standing(self._slug, asked, hits, waiting, now - self._start)
        write_text(self._path, json.dumps(asdict(standing)))
        if self._say and now - self._said >= _SAY_EVERY:
            self._said = now
            self._say(str(standing))

    def done(self) -> None:
        """Take the note away."""
        self._path.unlink(missing_ok=True)


def standings(home: Path) -> list[Standing]:
    """Return how far the crawls under ``home`` are, by slug. A note that is being replaced right now is left out."""
    found = []
    for path in sorted(_folder(home).glob("*.json")):
        try:
            found.append(Standing(**json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError):
            continue
    return found


def clear(home: Path) -> None:
    """Take away the notes of crawls that were killed."""
    for path in _folder(home).glob("*.json"):
        path.unlink(missing_ok=True)


def _folder(home: Path) -> Path:
    return home / "crawl_state" / "progress"
