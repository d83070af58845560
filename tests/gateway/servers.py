"""Real servers on loopback: a service behind the gateway, and the gateway itself."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
import uvicorn
from starlette.types import ASGIApp
from yarl import URL

from gateway.breaker import BreakerPolicy
from gateway.cache import PublicCache
from gateway.callers import Gatekeeper, Revocations
from gateway.cors import Cors
from gateway.edge import Edge
from gateway.limits import Limiter, Rate, RateClass
from gateway.proxy import Proxy
from gateway.routes import Route, RouteTable, Service
from gateway.upstream import Upstream
from servicekit.server import OneWriteProtocol
from tests.support import tokens

GENEROUS = {name: Rate(100_000, 100_000) for name in RateClass}


def listen() -> socket.socket:
    """A socket on a free port of loopback."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    return sock


@asynccontextmanager
async def serve(
    app, *, lifespan: Literal["on", "off"] = "off", sock: socket.socket | None = None
) -> AsyncIterator[str]:
    """Serve an ASGI application as production does; yields its base address."""
    sock = sock or listen()
    config = uvicorn.Config(
        app,
        http=OneWriteProtocol,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[sock])
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        for listener in server.servers:
            listener.close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
            connection.transport.abort()
        await until(lambda: not server.server_state.tasks)
        await server.lifespan.shutdown()
        sock.close()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serve_raw(handler: Handler) -> AsyncIterator[str]:
    """A server that speaks whatever the handler writes."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 5.0) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.005)


@dataclass(frozen=True)
class Answer:
    """An answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)


class Client:
    """Calls the gateway; answers are read whole, so that no connection stays open behind a test."""

    def __init__(self, base: str, session: aiohttp.ClientSession) -> None:
        self.base = URL(base)
        self.session = session

    async def request(self, method: str, path: str | URL, **options) -> Answer:
        async with self.session.request(method, path, allow_redirects=False, **options) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str | URL, **options) -> Answer:
        return await self.request("GET", path, **options)

    async def post(self, path: str | URL, **options) -> Answer:
        return await self.request("POST", path, **options)


@asynccontextmanager
async def client_of(base: str) -> AsyncIterator[Client]:
    """A client with no cookies and no decoding."""
    async with aiohttp.ClientSession(base, auto_decompress=False) as session:
        yield Client(base, session)


async def nothing(scope, receive, send) -> None:
    """An application that is not called."""
    raise AssertionError(scope["path"])


@dataclass
class Door:
    """A gateway in front of one service."""

    routes: list[Route]
    rates: dict[RateClass, Rate] = field(default_factory=lambda: dict(GENEROUS))
    policy: BreakerPolicy | None = None
    cors: tuple[str, ...] = ()
    revocations: Revocations = field(default_factory=Revocations)
    own: ASGIApp | None = None
    is_traced: bool = False
    #: Of the cache; None: without one, so that every read reaches the service.
    clock: Callable[[], float] | None = None

    @asynccontextmanager
    async def open(self, service_address: str) -> AsyncIterator[str]:
        """Serve the gateway; yields its base address."""
        upstream = Upstream(dict.fromkeys(Service, service_address))
        limiter = Limiter(self.rates)
        proxy = Proxy(upstream, policy=self.policy, is_traced=self.is_traced)
        edge = Edge(
            self.own or nothing,
            PublicCache(proxy, clock=self.clock) if self.clock else proxy,
            table=RouteTable(self.routes),
            gatekeeper=Gatekeeper(tokens.verifier(), self.revocations, limiter),
            limiter=limiter,
            cors=Cors(self.cors),
        )
        try:
            async with serve(edge) as address:
                yield address
        finally:
            upstream.close()
