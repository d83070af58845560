"""What anybody may read, kept for a moment: one answer of a service serves many readers.

A shared cache as RFC 9111 has it, for anonymous reads of public routes only. Answers are fresh for
a short time that the route says; while one reader fetches a new one the others get the old; and
when the service does not answer, the old one stays good for a while, so that the guides can be read
while the catalogue is being restarted. A service keeps an answer out with `no-store` or `private`.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import Message

from gateway.exchange import Exchange
from gateway.headers import kept_headers
from gateway.metrics import cache_outcome
from gateway.problems import ServiceBroke, ServiceUnavailable, UpstreamTimeout
from gateway.proxy import BUFFER_BYTES, Proxy
from gateway.routes import READ, Route

#: How long an answer serves when its service is not to be had, seconds.
STALE_IF_ERROR_SECONDS = 600.0
#: One that fetches has this long before another reader tries, too.
FETCH_SECONDS = 5.0
#: Of all bodies together.
CAPACITY_BYTES = 64 * 1024 * 1024
#: What of an entry is not its body, roughly.
_OVERHEAD_BYTES = 1024
_UNWELL = frozenset({500, 502, 503, 504})
_KEPT_OUT = (b"no-store", b"private")
#: What may decide which answer is given; an answer that varies by more is not kept.
_VARY = frozenset({b"accept", b"accept-encoding", b"origin"})
#: A part, or a check that only the service can make.
_NOT_OURS = frozenset({b"range", b"if-modified-since", b"if-match", b"if-range", b"cache-control"})

Key = tuple[bytes, bytes, bytes, bytes]


@dataclass(slots=True, eq=False)
class Kept:
    """An answer, since when it is kept, and whether somebody fetches a newer one."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    etag: bytes | None
    stored_at: float
    #: Without the length, for answers without the body that it is the length of.
    bodyless: list[tuple[bytes, bytes]]
    fetching_until: float = 0.0

    @property
    def size(self) -> int:
        return len(self.body) + _OVERHEAD_BYTES


@dataclass(slots=True)
class _Copy:
    """Takes down an answer on its way out, as long as it may be kept."""

    headers: list[tuple[bytes, bytes]] | None = None
    parts: list[bytes] = field(default_factory=list)
    is_whole: bool = False
    #: Whether there is something better than a service's own failure.
    may_refuse: bool = False

    def see(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self.may_refuse and message["status"] in _UNWELL:
                raise ServiceBroke
            headers = [(name.lower(), value) for name, value in message.get("headers", ())]
            if message["status"] == 200 and _may_be_kept(headers):
                self.headers = headers
        elif self.headers is not None:
            self.parts.append(message.get("body", b""))
            self.is_whole = not message.get("more_body", False)
            if sum(map(len, self.parts)) > BUFFER_BYTES:
                self.headers = None


def _may_be_kept(headers: list[tuple[bytes, bytes]]) -> bool:
    for name, value in headers:
        lower = value.lower()
        if name == b"set-cookie" or (
            name == b"cache-control" and any(word in lower for word in _KEPT_OUT)
        ):
            return False
        if name == b"vary" and not {part.strip() for part in lower.split(b",")} <= _VARY:
            return False
    return True


class PublicCache:
    """A proxy that answers what it knows itself."""

    def __init__(
        self,
        proxy: Proxy,
        *,
        capacity_bytes: int = CAPACITY_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._proxy = proxy
        self._capacity_bytes = capacity_bytes
        self._clock = clock
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._bytes = 0

    async def forward(self, exchange: Exchange, route: Route) -> None:
        """Answer from memory, or from the route's service; see `Proxy.forward` for what it raises."""
        key = _key(exchange, route)
        if key is None:
            await self._proxy.forward(exchange, route)
            return
        now = self._clock()
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            age = now - kept.stored_at
            may_wait = self._is_good(kept) and now < kept.fetching_until
            if age < route.fresh_seconds or may_wait:
                cache_outcome(route.prefix, "fresh" if age < route.fresh_seconds else "old").inc()
                await _answer(exchange, kept, age)
                return
            kept.fetching_until = now + FETCH_SECONDS
        await self._fetch(exchange, route, key, kept)

    async def _fetch(self, exchange: Exchange, route: Route, key: Key, kept: Kept | None) -> None:
        copy = _Copy(may_refuse=kept is not None and self._is_good(kept))
        exchange.seen_by = copy.see
        try:
            await self._proxy.forward(exchange, route)
        except (ServiceUnavailable, ServiceBroke, UpstreamTimeout):
            if kept is None or exchange.status or not self._is_good(kept):
                raise
            cache_outcome(route.prefix, "instead-of-error").inc()
            exchange.seen_by = None
            await _answer(exchange, kept, self._clock() - kept.stored_at)
            return
        finally:
            if kept is not None:
                kept.fetching_until = 0.0
        cache_outcome(route.prefix, "fetched").inc()
        if copy.headers is not None and copy.is_whole and exchange.method == "GET":
            self._keep(key, copy.headers, b"".join(copy.parts))

    def _is_good(self, kept: Kept) -> bool:
        return self._clock() - kept.stored_at < STALE_IF_ERROR_SECONDS

    def _keep(self, key: Key, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        etag = next((value for name, value in headers if name == b"etag"), None)
        passed = kept_headers(headers)
        bodyless = [pair for pair in passed if pair[0] != b"content-length"]
        entry = Kept(passed, body, etag, self._clock(), bodyless)
        old = self._kept.pop(key, None)
        self._bytes += entry.size - (old.size if old else 0)
        self._kept[key] = entry
        while self._bytes > self._capacity_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.size


def _key(exchange: Exchange, route: Route) -> Key | None:
    """Under what an answer is kept; None when it must not be."""
    if not route.cacheable or exchange.caller is not None or exchange.method not in READ:
        return None
    if exchange.head.has_body:
        return None
    accept = encoding = b""
    for name, value in exchange.head.passed:
        if name in _NOT_OURS:
            return None
        if name == b"accept":
            accept = value
        elif name == b"accept-encoding":
            encoding = value
    return exchange.scope["raw_path"], exchange.scope["query_string"], accept, encoding


async def _answer(exchange: Exchange, kept: Kept, age: float) -> None:
    """Send a kept answer; 304 when the reader has it already."""
    is_known = kept.etag is not None and _has(exchange.head.passed, kept.etag)
    headers = kept.bodyless if is_known else kept.headers
    body = b"" if is_known or exchange.method == "HEAD" else kept.body
    aged = [*headers, (b"age", b"%d" % age)]
    await exchange.repeat(304 if is_known else 200, aged, body)


def _has(headers: list[tuple[bytes, bytes]], etag: bytes) -> bool:
    """Whether the reader says that it holds this version."""
    offered = next((value for name, value in headers if name == b"if-none-match"), b"")
    return etag in (part.strip() for part in offered.split(b","))
