"""The HTTP client towards the services: pooled, streaming, neither following nor decoding."""

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.answer import Answer, BrokeOff, NotReached
from gateway.problems import RequestUnreadable
from gateway.routes import Service
from gateway.wire import Connection, Parts

#: Idle connections are dropped before the services drop them, so that a request seldom meets a
#: connection that is just being closed.
KEEPALIVE_SECONDS = 4.0
CONNECT_SECONDS = 2.0
CONNECTIONS_PER_SERVICE = 256
#: A request without a body says so where one is expected. Source: RFC 9110 §8.6.
_EXPECT_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(slots=True)
class UpstreamRequest:
    """What is sent to a service."""

    service: Service
    method: str
    target: bytes  #: raw path and query, exactly as they came
    headers: list[tuple[bytes, bytes]]
    silent_seconds: float  #: longest silence before the answer and inside it
    length: int | None = None  #: of a body that comes in parts, when it is known


class Upstream:
    """One connection pool per service."""

    def __init__(
        self, addresses: Mapping[Service, str], *, trust: ssl.SSLContext | None = None
    ) -> None:
        self._pools = {
            service: Pool(address, trust=trust) for service, address in addresses.items()
        }

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()

    async def send(self, request: UpstreamRequest, body: bytes | Parts) -> Answer:
        """Send a request and return when the answer's head is there; never sends it twice.

        Raises:
            NotReached: no connection could be had; nothing was sent.
            BrokeOff: the connection ended, or what came was not HTTP.
            TimeoutError: the service was silent for too long, or all connections were in use.
            RequestUnreadable: a header would not stay one header.
        """
        pool = self._pools[request.service]
        head = _head(request, body, pool)
        connection = await pool.acquire(request.silent_seconds)
        return await connection.exchange(
            head, body, is_head=request.method == "HEAD", seconds=request.silent_seconds
        )


def _head(request: UpstreamRequest, body: bytes | Parts, pool: "Pool") -> bytes:
    target = pool.prefix + request.target
    lines = [b"%b %b HTTP/1.1\r\nhost: %b" % (request.method.encode(), target, pool.host)]
    lines += [b"%b: %b" % header for header in request.headers]
    if not isinstance(body, bytes):
        if request.length is None:
            lines.append(b"transfer-encoding: chunked")
        else:
            lines.append(b"content-length: %d" % request.length)
    elif body or request.method in _EXPECT_BODY:
        lines.append(b"content-length: %d" % len(body))
    lines += (b"", b"")
    head = b"\r\n".join(lines)
    # Our server lets no line end into a name or value; nobody behind us may meet one all the same.
    if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines):
        raise RequestUnreadable
    return head


class Pool:
    """Connections to one address: the one used last is used first, at most `limit` at once."""

    def __init__(
        self,
        address: str,
        *,
        trust: ssl.SSLContext | None = None,
        limit: int = CONNECTIONS_PER_SERVICE,
        keepalive_seconds: float = KEEPALIVE_SECONDS,
    ) -> None:
        parts = urlsplit(address)
        is_https = parts.scheme == "https"
        self._hostname = parts.hostname or ""
        self._port = parts.port or (443 if is_https else 80)
        self._ssl = (trust or ssl.create_default_context()) if is_https else None
        self._limit = limit
        self._keepalive_seconds = keepalive_seconds
        self._idle: deque[Connection] = deque()
        self._all: set[Connection] = set()
        self._connecting = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self.host = parts.netloc.encode()
        self.prefix = parts.path.rstrip("/").encode()

    async def acquire(self, seconds: float) -> Connection:
        """Return a connection for one exchange.

        Raises:
            NotReached: there is no one to connect to.
            BrokeOff: connected, and sent away at once.
            TimeoutError: all are in use for as long as `seconds`.
        """
        if self._is_exhausted():
            async with asyncio.timeout(seconds):
                while self._is_exhausted():
                    await self._wait()
        return self._take_idle() or await self._connect()

    def take_back(self, connection: Connection) -> None:
        """Keep a connection for the next exchange."""
        self._idle.append(connection)
        oldest = self._idle[0]
        if self._is_old(oldest):
            self._idle.popleft()
            oldest.abort()
        self._wake()

    def forget(self, connection: Connection) -> None:
        """Count a lost connection no more."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._wake()

    def close(self) -> None:
        """Close every connection."""
        for connection in list(self._all):
            connection.abort()

    def _is_exhausted(self) -> bool:
        return not self._idle and len(self._all) + self._connecting >= self._limit

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open() and not self._is_old(connection):
                return connection
            connection.abort()
        return None

    def _is_old(self, connection: Connection) -> bool:
        return asyncio.get_running_loop().time() - connection.idle_since > self._keepalive_seconds

    async def _connect(self) -> Connection:
        self._connecting += 1
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self), self._hostname, self._port, ssl=self._ssl
                )
            if not connection.is_open():
                raise BrokeOff("closed at once")
            self._all.add(connection)
            return connection
        except (OSError, TimeoutError) as error:
            raise NotReached(repr(error)) from error
        finally:
            self._connecting -= 1
            self._wake()

    async def _wait(self) -> None:
        """Wait until one connection may be idle or missing; whoever wakes looks again."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                self._wake()  # it was meant for us: the next one may have it
            raise
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
