"""One request under way at the gateway, and its answer as it leaves."""

import asyncio
import time
from collections.abc import Callable

import orjson
from starlette.types import Message, Receive, Scope, Send

from gateway.headers import RequestHead, answer_headers
from gateway.routes import Route
from servicekit.auth import Caller
from servicekit.errors import PROBLEM_TYPE, ServiceError, problem_document

_BODYLESS = frozenset({204, 304})
#: After these the rest of the body may still be on its way: the connection is not used again.
_CLOSING = frozenset({408, 413})
#: After one to two of these a caller's hanging up ends the call to the service.
LOOKOUT_SECONDS = 0.05


#: Until the request's own has been read.
_UNREAD = RequestHead([], "")


class Exchange:
    """Wraps ASGI's `send`: adapts headers once, remembers the status."""

    __slots__ = (
        "_send", "added", "address", "caller", "head", "is_complete", "method", "receive",
        "route", "scope", "seen_by", "started_at", "status",
    )  # fmt: skip

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, added: list[tuple[bytes, bytes]]
    ) -> None:
        self.scope = scope
        self.receive = receive
        self._send = send
        self.added = added
        self.method: str = scope["method"]
        self.head = _UNREAD
        self.route: Route | None = None
        self.caller: Caller | None = None
        self.address = ""
        self.started_at = time.perf_counter()
        self.status = 0  #: 0 until an answer has begun
        self.is_complete = False
        #: Sees an answer as the service gave it.
        self.seen_by: Callable[[Message], None] | None = None

    async def send(self, message: Message) -> None:
        """ASGI's `send` with our headers."""
        if self.seen_by is not None:
            self.seen_by(message)
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = answer_headers(
                message.get("headers", ()),
                request_id=self.head.request_id,
                added=self.added,
                no_store=self.caller is not None or self.route is None or not self.route.cacheable,
                bodyless=self.status in _BODYLESS,
            )
            if self.status in _CLOSING:
                message["headers"].append((b"connection", b"close"))
        elif not message.get("more_body", False):
            self.is_complete = True
        await self._send(message)

    async def repeat(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Answer with what another got; `headers` have been through `kept_headers`."""
        self.status = status
        self.is_complete = True
        given = [*headers, *self.added, (b"x-request-id", self.head.request_id.encode())]
        await self._send({"type": "http.response.start", "status": status, "headers": given})
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self, error: ServiceError) -> None:
        """Answer with a problem document."""
        body = orjson.dumps(problem_document(error, self.head.request_id), default=str)
        headers = [
            (b"content-type", PROBLEM_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            *((name.lower().encode(), value.encode()) for name, value in error.headers.items()),
        ]
        await self.send({"type": "http.response.start", "status": error.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


class HangUpWatch:
    """Cancels the task that serves a caller when the caller hangs up.

    The task then sees `CancelledError`; `is_gone` tells it that nobody waits any more.
    """

    def __init__(self, exchange: Exchange, lookout: "Lookout") -> None:
        served = asyncio.current_task()
        assert served is not None
        self._exchange = exchange
        self._lookout = lookout
        self._served: asyncio.Task[object] = served
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False
        self.is_gone = False

    def start(self) -> None:
        """Begin to watch soon; whoever reads the request's body must have finished."""
        if not self._is_stopped:
            self._lookout.add(self)

    def stop(self) -> None:
        """Stop watching, for good."""
        self._is_stopped = True
        self._lookout.discard(self)
        if self._task is not None:
            self._task.cancel()

    def begin(self) -> None:
        """Watch from now on."""
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._exchange.receive())["type"] != "http.disconnect":
            pass
        if not (self._is_stopped or self._exchange.is_complete):
            self.is_gone = True
            self._served.cancel()


class Lookout:
    """Begins the watch for callers who have waited for a moment.

    Most are answered sooner, and a task for each would cost as much as reading its headers; who
    leaves within the moment is noticed at its end.
    """

    def __init__(self, seconds: float = LOOKOUT_SECONDS) -> None:
        self._seconds = seconds
        self._new: dict[HangUpWatch, None] = {}
        self._old: dict[HangUpWatch, None] = {}
        self._is_set = False

    def add(self, watch: HangUpWatch) -> None:
        """Begin this watch after one to two moments."""
        self._new[watch] = None
        if not self._is_set:
            self._is_set = True
            asyncio.get_running_loop().call_later(self._seconds, self._look)

    def discard(self, watch: HangUpWatch) -> None:
        """Do not begin it any more."""
        self._new.pop(watch, None)
        self._old.pop(watch, None)

    def _look(self) -> None:
        begun, self._old, self._new = self._old, self._new, {}
        self._is_set = bool(self._old)
        if self._is_set:
            asyncio.get_running_loop().call_later(self._seconds, self._look)
        for watch in begun:
            watch.begin()
