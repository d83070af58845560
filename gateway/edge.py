"""The gateway as an ASGI application: who may come in, how often, and where the request goes.

Plain ASGI on purpose: a framework's routing and middlewares would cost more than the forwarding
itself. The framework serves only the gateway's own endpoints, behind the same checks.
"""

import time
from collections.abc import Sequence
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.addresses import Network, client_address, is_trusted, limit_key
from gateway.bodies import ClientGone
from gateway.callers import Gatekeeper
from gateway.cors import Cors
from gateway.exchange import Exchange
from gateway.headers import SECURITY_HEADERS, TRANSPORT_SECURITY, read_head
from gateway.limits import Limiter
from gateway.metrics import RATE_LIMITED, requests_counted, seconds_of
from gateway.problems import PathMalformed, PathUnknown, RateLimited
from gateway.proxy import AnswerCutOff
from gateway.routes import Route, RouteTable, Service, is_plain_path
from servicekit.errors import BodyTooLarge, MethodNotAllowed, ServiceError, Unauthenticated
from servicekit.logging import logger

#: Label of requests that match no route, so that nobody can make new time series.
UNMATCHED = "unmatched"


class Forwarder(Protocol):
    """Answers from a service, whether by asking it or from memory."""

    async def forward(self, exchange: Exchange, route: Route) -> None: ...


class Edge:
    """Checks every request and hands it to the proxy or to the gateway's own application."""

    def __init__(
        self,
        own: ASGIApp,
        proxy: Forwarder,
        *,
        table: RouteTable,
        gatekeeper: Gatekeeper,
        limiter: Limiter,
        cors: Cors,
        trusted_proxies: Sequence[Network] = (),
        is_https: bool = False,
    ) -> None:
        self.own = own
        self._proxy = proxy
        self._table = table
        self._gatekeeper = gatekeeper
        self._limiter = limiter
        self._cors = cors
        self._trusted_proxies = tuple(trusted_proxies)
        self._added = [*SECURITY_HEADERS, *([TRANSPORT_SECURITY] if is_https else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http":
            await self._serve(Exchange(scope, receive, send, self._added))
        elif scope["type"] == "lifespan":
            await self.own(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, exchange: Exchange) -> None:
        try:
            await self._admit_and_answer(exchange)
        except ServiceError as error:
            await exchange.refuse(error)
        except ClientGone:
            pass
        except AnswerCutOff as error:
            # The answer has begun: ending without its last part makes the server cut the line.
            logger.warning("answer_cut_off", error=repr(error.__cause__))
        finally:
            _count(exchange)

    async def _admit_and_answer(self, exchange: Exchange) -> None:
        scope = exchange.scope
        head = exchange.head = read_head(scope["headers"])
        peer = scope["client"][0] if scope.get("client") else ""
        if not is_trusted(peer, self._trusted_proxies):
            head.scheme = None
        exchange.address = client_address(peer, head.forwarded_for, self._trusted_proxies)
        if not is_plain_path(scope["raw_path"]):
            raise PathMalformed
        route = exchange.route = self._table.find(scope["path"])
        if route is None:
            raise PathUnknown
        if head.origin is not None and self._cors.is_allowed(head.origin):
            exchange.added = [*self._added, *self._cors.answer_headers(head.origin)]
            if exchange.method == "OPTIONS":
                await exchange.send(self._cors.preflight(route.methods))
                await exchange.send({"type": "http.response.body", "body": b""})
                return
        if exchange.method not in route.methods:
            exchange.added = [
                *exchange.added,
                (b"allow", ", ".join(sorted(route.methods)).encode()),
            ]
            raise MethodNotAllowed
        if (head.content_length or 0) > route.body_limit_bytes:
            raise BodyTooLarge
        await self._identify(exchange, route)
        self._count_towards_limit(exchange, route)
        if route.service is Service.gateway:
            await self._answer_ourselves(exchange)
        else:
            await self._proxy.forward(exchange, route)

    async def _identify(self, exchange: Exchange, route: Route) -> None:
        authorization = exchange.head.authorization
        if authorization is not None and not route.ignores_token:
            exchange.caller = await self._gatekeeper.identify(
                authorization, limit_key(exchange.address)
            )
        elif exchange.method not in route.anonymous:
            raise Unauthenticated

    def _count_towards_limit(self, exchange: Exchange, route: Route) -> None:
        rate_class = route.rate_class_of(exchange.method)
        caller = exchange.caller
        key = limit_key(exchange.address) if caller is None else caller.account_id
        wait = self._limiter.take(rate_class, key, time.monotonic())
        if wait:
            RATE_LIMITED.labels(rate_class).inc()
            raise RateLimited(retry_after_seconds=wait)

    async def _answer_ourselves(self, exchange: Exchange) -> None:
        """Hand over with the id and the address that we have found."""
        scope = exchange.scope
        request_id = exchange.head.request_id.encode()
        scope["headers"] = [
            *(pair for pair in scope["headers"] if pair[0] != b"x-request-id"),
            (b"x-request-id", request_id),
        ]
        scope["client_address"] = exchange.address
        await self.own(scope, exchange.receive, exchange.send)


def _count(exchange: Exchange) -> None:
    route = exchange.route
    prefix = route.prefix if route else UNMATCHED
    method = exchange.method if route and exchange.method in route.methods else UNMATCHED
    requests_counted(prefix, method, exchange.status // 100).inc()
    seconds_of(prefix).observe(time.perf_counter() - exchange.started_at)
