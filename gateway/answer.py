"""A service's answer as it comes in: head first, then a body that is read no faster than passed on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol


class NotReached(Exception):
    """No connection: nothing was sent."""


class BrokeOff(Exception):
    """The connection ended before the answer did; the service may or may not have acted."""


class Line(Protocol):
    """Where the answer comes from."""

    def read_on(self) -> None: ...

    def give_up(self, answer: "Answer") -> None: ...


class Answer:
    """What a service answers, as it comes."""

    def __init__(self, connection: Line, *, is_head: bool) -> None:
        self._connection = connection
        self._parts: list[bytes] = []
        self._failure: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.is_head = is_head  #: whether it answers a HEAD, and so has no body whatever it says
        self.status = 0  #: 0 until the head is there
        self.raw_headers: list[tuple[bytes, bytes]] = []
        self.content_length: int | None = None
        self.is_whole = False
        self.waiting_bytes = 0

    async def read(self) -> bytes:
        """Return the whole body.

        Raises:
            BrokeOff: it ended too early.
            TimeoutError: the service fell silent.
        """
        if self.is_whole:
            return self._taken()
        return b"".join([part async for part in self.parts()])

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes; what is not taken makes the service wait. Raises as `read`."""
        while True:
            if self.waiting_bytes:
                yield self._taken()
            elif self.is_whole:
                return
            else:
                await self.wait()

    def close(self) -> None:
        """Give the connection up when the answer has not ended yet."""
        self._connection.give_up(self)

    async def wait(self) -> None:
        """Wait for something to happen."""
        if self._failure is not None:
            raise self._failure
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
        if self._failure is not None:
            raise self._failure

    def wake(self) -> None:
        """Tell whoever waits that something happened."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def fail(self, failure: BaseException) -> None:
        """End it; what came before is not given any more."""
        if not self.is_whole and self._failure is None:
            self._failure = failure
            self.wake()

    def end(self) -> None:
        """Take it that nothing more comes, and that what came is all."""
        if self._failure is None:
            self.is_whole = True
            self.wake()

    def add(self, part: bytes) -> None:
        """Take a part of the body that came."""
        self._parts.append(part)
        self.waiting_bytes += len(part)

    def _taken(self) -> bytes:
        parts = self._parts
        whole = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        self.waiting_bytes = 0
        self._connection.read_on()
        return whole
