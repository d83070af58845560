"""A request's body on its way to a service: bounded in size and time, replayable when small."""

import asyncio
import time
from collections.abc import AsyncIterator

from starlette.types import Receive

from gateway.problems import BodyTooSlow
from gateway.wire import Clock
from servicekit.errors import BodyTooLarge, ServiceError

#: Bodies up to this size are read before the service is called, and can be sent a second time.
BUFFER_BYTES = 64 * 1024
#: Between two parts of a body, and for the whole of it: a phone on 2G may, a slow-loris may not.
IDLE_SECONDS = 10.0
TOTAL_SECONDS = 120.0


class ClientGone(Exception):
    """The caller hung up; nobody is left to answer."""


class RequestBody:
    """Reads the body from ASGI, either whole (`buffered`) or part by part (`stream`)."""

    def __init__(
        self,
        receive: Receive,
        *,
        limit_bytes: int,
        content_length: int | None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._receive = receive
        self._limit = limit_bytes
        self._idle_seconds = idle_seconds
        self._size = 0
        self._first = b""
        self._more = True
        self._ends_at = time.monotonic() + TOTAL_SECONDS
        self.content_length = content_length
        self.buffered: bytes | None = None
        #: Why `stream` broke off: the HTTP client that reads it wraps exceptions beyond use.
        self.failure: ServiceError | ClientGone | None = None

    @property
    def is_read(self) -> bool:
        """Whether the caller has sent everything."""
        return not self._more

    def skip(self) -> None:
        """Take it that there is no body."""
        self._more = False
        self.buffered = b""

    async def load(self) -> None:
        """Read the whole body if it is small, else its first part.

        Raises:
            BodyTooLarge: declared or seen to be over the limit.
            BodyTooSlow: nothing came for too long.
            ClientGone: the caller hung up.
        """
        if self.content_length is not None and self.content_length > self._limit:
            raise BodyTooLarge
        parts = [await self._next()]
        small = self.content_length is not None and self.content_length <= BUFFER_BYTES
        while self._more and small:
            parts.append(await self._next())
        whole = b"".join(parts)
        if self._more:
            self._first = whole
        else:
            self.buffered = whole

    async def stream(self, clock: Clock) -> AsyncIterator[bytes]:
        """Yield the parts of a large body; the service's time stands still meanwhile."""
        yield self._first
        try:
            while self._more:
                clock.pause()
                part = await self._next()
                clock.resume()
                if part:
                    yield part
        except (ServiceError, ClientGone) as failure:
            self.failure = failure
            raise

    async def _next(self) -> bytes:
        seconds = min(self._idle_seconds, self._ends_at - time.monotonic())
        try:
            async with asyncio.timeout(seconds):
                message = await self._receive()
        except TimeoutError:
            raise BodyTooSlow from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        self._more = message.get("more_body", False)
        self._size += len(part)
        if self._size > self._limit:
            raise BodyTooLarge
        return part
