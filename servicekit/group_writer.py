"""Group write: concurrent requests share one statement, each answered after its commit.

Durability per request is unchanged: a caller waits for the commit of the transaction that holds
its row. When a shared statement fails, each row is tried by itself, so that one bad row cannot
fail the others. The queue is bounded: past the limit a caller is told to come back.
Source: docs/adr/0008.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from servicekit.errors import Unavailable
from servicekit.metrics import GROUP_QUEUE, GROUP_SIZE

Row = TypeVar("Row")
Outcome = TypeVar("Outcome")

MAX_ROWS = 64
MAX_IN_FLIGHT = 2
MAX_QUEUE = 2_000


class QueueFull(Unavailable):
    code, title = "too-busy", "当前办理人数较多，请稍后再试"


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Row, Outcome]):
    row: Row
    outcome: "asyncio.Future[Outcome]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class GroupWriter(Generic[Row, Outcome]):
    """Collects rows while at most two statements are in flight."""

    def __init__(self, write: Callable[[Sequence[Row]], Awaitable[Sequence[Outcome]]]) -> None:
        self._write = write
        self._queue: deque[_Waiting[Row, Outcome]] = deque()
        self._in_flight = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def add(self, row: Row) -> Outcome:
        """Write one row; returns when it is committed.

        Raises:
            QueueFull: too many rows wait already; nothing was written.
        """
        if len(self._queue) >= MAX_QUEUE:
            raise QueueFull
        waiting: _Waiting[Row, Outcome] = _Waiting(row)
        self._queue.append(waiting)
        if self._in_flight < MAX_IN_FLIGHT:
            self._in_flight += 1
            task = asyncio.create_task(self._drain())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # The statement goes on when its caller hangs up: the row may be shared by then.
        return await asyncio.shield(waiting.outcome)

    async def close(self) -> None:
        """Wait until everything taken in is written."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def _drain(self) -> None:
        # No await between "queue empty" and giving the slot back: a newcomer would be forgotten.
        try:
            while self._queue:
                size = min(MAX_ROWS, len(self._queue))
                batch = [self._queue.popleft() for _ in range(size)]
                GROUP_QUEUE.set(len(self._queue))
                GROUP_SIZE.observe(size)
                await self._write_batch(batch)
        finally:
            self._in_flight -= 1

    async def _write_batch(self, batch: list[_Waiting[Row, Outcome]]) -> None:
        try:
            outcomes = await self._write([waiting.row for waiting in batch])
        except Exception as error:  # noqa: BLE001 - told to the caller, or tried row by row
            if len(batch) == 1:
                _fail(batch[0], error)
                return
            for waiting in batch:
                await self._write_batch([waiting])
            return
        if len(outcomes) != len(batch):  # written, but nobody knows what became of which row
            for waiting in batch:
                _fail(waiting, ValueError(f"{len(outcomes)} outcomes of {len(batch)} rows"))
            return
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if not waiting.outcome.done():
                waiting.outcome.set_result(outcome)


def _fail(waiting: "_Waiting[Row, Outcome]", error: Exception) -> None:
    if not waiting.outcome.done():
        waiting.outcome.set_exception(error)
        waiting.outcome.exception()  # a caller that hung up will not ask for it
