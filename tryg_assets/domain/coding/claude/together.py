"""Many small writes as few large ones: a disk takes as long to make one answer safe as to make ten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Together(Generic[_Item, _Result]):
    """Runs ``run`` on items in a thread. What comes while it runs waits, and then goes together.

    ``run`` returns one result per item, in order. If it fails for several items, each is tried by itself, so that a failure hits
    no other.
    """

    def __init__(self, run: Callable[[Sequence[_Item]], Sequence[_Result]]) -> None:
        self._run = run
        self._waiting: list[tuple[_Item, asyncio.Future[_Result]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, item: _Item) -> _Result:
        """Return what ``run`` returns for ``item``, or raise what it raises."""
        done: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._work())
        return await done

    async def _work(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            try:
                await self._settle(taken)
            except Exception:  # noqa: BLE001 - raised again for the one it belongs to
                for one in taken:
                    try:
                        await self._settle([one])
                    except Exception as problem:  # noqa: BLE001 - raised where the item came from
                        one[1].set_exception(problem)

    async def _settle(self, taken: Sequence[tuple[_Item, asyncio.Future[_Result]]]) -> None:
        results = await asyncio.to_thread(self._run, [item for item, _ in taken])
        for (_, done), result in zip(taken, results, strict=True):
            if not done.cancelled():
                done.set_result(result)
