"""One connection to a service: HTTP/1.1 over asyncio, read by llhttp as our own server reads it.

What a client library does beyond this (cookies, redirects, decoding, proxies, repeats of its own) a
gateway must not do, and it cost more than all the rest of the path; ADR 0044 has the figures.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import httptools

from gateway.answer import Answer, BrokeOff

#: What may lie here unread before the service is made to wait, bytes.
READ_AHEAD_BYTES = 256 * 1024
#: Of all names and values together; aiohttp's servers and clients refuse a single one of 8 KiB.
HEAD_BYTES = 64 * 1024
_BODYLESS = frozenset({204, 304})


class Clock(Protocol):
    """How long a service may still be silent; stands still while somebody else is waited for."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


#: Gives the parts of a body, and stops the service's clock while it waits for them.
Parts = Callable[[Clock], AsyncIterator[bytes]]


class Keeper(Protocol):
    """Who owns connections; is told when one may be used again, and exactly once that it is lost."""

    def take_back(self, connection: "Connection") -> None: ...

    def forget(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """Carries one exchange after another; used again only when the last one ended cleanly."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._parser: Any = None
        self._answer: Answer | None = None
        self._upload: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._is_reading = True
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._is_reusable = False
        self._needs_parser = True
        self._ends_with_connection = False
        self._seconds = 0.0
        self._ends_at = math.inf
        self._rings_at = math.inf
        self._alarm: asyncio.TimerHandle | None = None
        self.idle_since = 0.0

    # --- an exchange -----------------------------------------------------------------------

    async def exchange(
        self, head: bytes, body: bytes | Parts, *, is_head: bool, seconds: float
    ) -> Answer:
        """Send a request and return when the answer's head is there.

        `head` ends with its empty line; parts are chunked when it says so. `seconds` is the
        longest silence of the service, before its answer and inside it.

        Raises:
            BrokeOff: the connection ended, or what came was not HTTP.
            TimeoutError: the service was silent for too long.
        """
        answer = self._answer = Answer(self, is_head=is_head)
        if self._needs_parser:
            self._parser, self._needs_parser = httptools.HttpResponseParser(self), False
        self._seconds = seconds
        self.resume()
        try:
            if isinstance(body, bytes):
                self._transport.write(head + body)
            else:
                is_chunked = b"\r\ntransfer-encoding: chunked\r\n" in head
                self._transport.write(head)
                self._upload = self._loop.create_task(self._send(answer, body, is_chunked))
            while not answer.status:
                await answer.wait()
        except BaseException:
            self.give_up(answer)
            raise
        return answer

    async def _send(self, answer: Answer, body: Parts, is_chunked: bool) -> None:
        """Send a body part by part, no faster than the service takes it."""
        try:
            async for part in body(self):
                self._transport.write(
                    b"%x\r\n%b\r\n" % (len(part), part) if is_chunked and part else part
                )
                if self._room is not None:
                    await self._room
            if is_chunked:
                self._transport.write(b"0\r\n\r\n")
            self._upload = None
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whoever gives the parts says why itself
            self._upload = None
            answer.fail(BrokeOff(f"the body broke off: {error!r}"))
            self.give_up(answer)

    def give_up(self, answer: Answer) -> None:
        """End an exchange before its time; the connection is of no use any more."""
        if self._answer is answer:
            answer.fail(BrokeOff("given up"))
            self.abort()

    def abort(self) -> None:
        """Cut the line."""
        self._transport.abort()

    def is_open(self) -> bool:
        """Whether it may still be used."""
        return not self._transport.is_closing()

    # --- time ------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop the clock."""
        self._ends_at = math.inf

    def resume(self) -> None:
        """Give the service its whole time again.

        The timer is set again only when it would ring too late: when it rings too early it looks
        at the time that is left, and so costs nothing per exchange.
        """
        self._ends_at = self._loop.time() + self._seconds
        if self._ends_at < self._rings_at:
            if self._alarm is not None:
                self._alarm.cancel()
            self._set_alarm()

    def _set_alarm(self) -> None:
        self._rings_at = self._ends_at
        self._alarm = self._loop.call_at(self._rings_at, self._ring)

    def _ring(self) -> None:
        self._alarm, self._rings_at = None, math.inf
        answer = self._answer
        if answer is None or self._ends_at == math.inf:
            return
        if self._ends_at <= self._loop.time():
            answer.fail(TimeoutError("the service is silent"))
            self.abort()
        else:
            self._set_alarm()

    # --- what the transport says -------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        answer, self._answer = self._answer, None
        if answer is not None:
            if self._ends_with_connection and answer.status and exc is None:
                answer.end()
            answer.fail(BrokeOff(repr(exc) if exc else "the connection was closed"))
        self._stop_upload()
        self._keeper.forget(self)

    def pause_writing(self) -> None:
        if self._room is None:
            self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:
            self.abort()  # nobody asked: whatever it is, no later request may get it as its answer
            return
        if self._ends_at != math.inf:
            self._ends_at = self._loop.time() + self._seconds
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            answer.fail(BrokeOff(f"not HTTP: {error!r}"))
            answer.wake()
            self.abort()
            return
        if answer.is_whole:
            self._settle()
        elif answer.waiting_bytes > READ_AHEAD_BYTES and self._is_reading:
            self._is_reading = False
            self._transport.pause_reading()
            self.pause()
        answer.wake()

    def read_on(self) -> None:
        """Take more of the answer; what was there has been taken."""
        if not self._is_reading:
            self._is_reading = True
            if self._answer is not None:
                self._transport.resume_reading()
                self.resume()

    def _settle(self) -> None:
        """The answer is whole: hand the connection back, or end it."""
        self._answer = None
        self._ends_at = math.inf
        if self._is_reusable and self._upload is None and self.is_open():
            self.idle_since = self._loop.time()
            self._keeper.take_back(self)
        else:
            self._stop_upload()
            self.abort()

    def _stop_upload(self) -> None:
        if self._upload is not None:
            self._upload.cancel()
            self._upload = None

    # --- what llhttp says --------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._headers, self._head_bytes = [], 0
        if self._answer is not None and self._answer.is_whole:
            self._is_reusable = False  # a second answer to one question

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES:
            raise BrokeOff("the answer's head is too long")
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        answer = self._answer
        assert answer is not None
        status: int = self._parser.get_status_code()
        if status < 200 or answer.status:
            return  # on the way, or a second answer
        lengths = [value for name, value in self._headers if name == b"content-length"]
        is_chunked = any(name == b"transfer-encoding" for name, _ in self._headers)
        answer.status, answer.raw_headers = status, self._headers
        self._is_reusable = self._parser.should_keep_alive()
        if answer.is_head or status in _BODYLESS:
            # llhttp does not know what was asked, and would wait for the body that is described.
            answer.is_whole = self._needs_parser = True
        elif lengths:
            answer.content_length = int(lengths[0])
        self._ends_with_connection = not (lengths or is_chunked)

    def on_body(self, part: bytes) -> None:
        answer = self._answer
        if answer is None or answer.is_whole:
            self._is_reusable = False
        else:
            answer.add(part)

    def on_message_complete(self) -> None:
        answer = self._answer
        if answer is not None and answer.status:
            answer.is_whole = True
