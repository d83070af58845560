"""Forwards a request to the service of its route, and the answer back."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import nullcontext

from opentelemetry.trace import SpanKind

from gateway.answer import Answer, BrokeOff, NotReached
from gateway.bodies import ClientGone, RequestBody
from gateway.breaker import Breaker, BreakerPolicy, BreakerState, Permit
from gateway.exchange import Exchange, HangUpWatch, Lookout
from gateway.headers import new_traceparent
from gateway.metrics import BREAKER_STATE, BREAKER_VALUES, UPSTREAM_FAILURES, UPSTREAM_RETRIES
from gateway.problems import ServiceBroke, ServiceUnavailable, UpstreamTimeout
from gateway.routes import READ, Route, Service
from gateway.upstream import Upstream, UpstreamRequest
from gateway.wire import Clock, Parts
from servicekit.errors import ServiceError
from servicekit.tracing import span, traceparent

#: Answers up to this size are read whole and sent in one piece.
BUFFER_BYTES = 64 * 1024
#: Answers that mean "the service is not well", as a refusal of a request does not.
_UNWELL = frozenset({502, 503, 504})
_BODYLESS = frozenset({204, 304})


class AnswerCutOff(Exception):
    """The service broke off inside its answer; ours must end unfinished too."""


class Proxy:
    """The data path: breaker, client, and the translation of failures into problems."""

    def __init__(
        self,
        upstream: Upstream,
        *,
        policy: BreakerPolicy | None = None,
        trace_sample_ratio: float = 0.0,
        is_traced: bool = False,
    ) -> None:
        self._upstream = upstream
        self._breakers = {service: Breaker(policy) for service in Service}
        self._shown: dict[Service, BreakerState] = {}
        self._lookout = Lookout()
        self._trace_sample_ratio = trace_sample_ratio
        self._is_traced = is_traced

    async def forward(self, exchange: Exchange, route: Route) -> None:
        """Answer an exchange from its route's service.

        Raises:
            BodyTooLarge, BodyTooSlow: the request's body is at fault.
            ServiceUnavailable: no connection, or the breaker is open.
            ServiceBroke: the connection ended before an answer.
            UpstreamTimeout: no answer in time.
            ClientGone: the caller hung up; there is nobody to answer.
            AnswerCutOff: the answer ended too early, after it had begun.
        """
        body = RequestBody(
            exchange.receive,
            limit_bytes=route.body_limit_bytes,
            content_length=exchange.head.content_length,
        )
        if exchange.head.has_body:
            await body.load()
        else:
            body.skip()
        breaker = self._breakers[route.service]
        permit = breaker.admit(time.monotonic())
        if permit is None:
            wait = breaker.retry_after_seconds(time.monotonic())
            raise ServiceUnavailable(retry_after_seconds=wait)
        name = f"{exchange.method} {route.prefix}"
        parent = exchange.head.traceparent
        with span(name, SpanKind.SERVER, parent) if self._is_traced else nullcontext():
            await self._guarded(exchange, route, body, breaker, permit)

    async def _guarded(
        self, exchange: Exchange, route: Route, body: RequestBody, breaker: Breaker, permit: Permit
    ) -> None:
        """Call and relay, and tell the breaker how it went."""
        watch = HangUpWatch(exchange, self._lookout)
        if body.is_read:
            watch.start()
        is_well: bool | None = None
        try:
            answer = await self._call(exchange, route, body, watch)
            try:
                await self._relay(exchange, answer)
            finally:
                answer.close()
            is_well = answer.status not in _UNWELL
        except (ServiceUnavailable, ServiceBroke, UpstreamTimeout, AnswerCutOff) as error:
            if body.failure is not None:
                raise body.failure from error
            is_well = False
            UPSTREAM_FAILURES.labels(route.service, _reason(error)).inc()
            raise
        except asyncio.CancelledError:
            if watch.is_gone:
                raise ClientGone from None
            raise
        finally:
            watch.stop()
            if is_well is None:
                breaker.abandon(permit)
            else:
                breaker.record(permit, time.monotonic(), ok=is_well)
            self._show(route.service, breaker.state)

    def _show(self, service: Service, state: BreakerState) -> None:
        if self._shown.get(service) is not state:
            self._shown[service] = state
            BREAKER_STATE.labels(service).set(BREAKER_VALUES[state])

    async def _call(
        self, exchange: Exchange, route: Route, body: RequestBody, watch: HangUpWatch
    ) -> Answer:
        request = self._request(exchange, route, body)
        sent = body.buffered if body.buffered is not None else _watched(body, watch)
        try:
            return await self._attempt(request, sent)
        except (NotReached, BrokeOff) as error:
            if not _may_repeat(exchange, body, error):
                raise _problem(error) from error
        UPSTREAM_RETRIES.labels(route.service).inc()
        try:
            return await self._attempt(request, sent)
        except (NotReached, BrokeOff) as error:
            raise _problem(error) from error

    async def _attempt(self, request: UpstreamRequest, body: bytes | Parts) -> Answer:
        try:
            return await self._upstream.send(request, body)
        except TimeoutError:
            raise UpstreamTimeout from None

    def _request(self, exchange: Exchange, route: Route, body: RequestBody) -> UpstreamRequest:
        head, scope = exchange.head, exchange.scope
        parent = traceparent() if self._is_traced else head.traceparent
        trace = parent or new_traceparent(self._trace_sample_ratio)
        query = scope["query_string"]
        return UpstreamRequest(
            service=route.service,
            method=exchange.method,
            target=scope["raw_path"] + b"?" + query if query else scope["raw_path"],
            headers=[
                *head.passed,
                (b"x-request-id", head.request_id.encode()),
                (b"x-forwarded-for", exchange.address.encode()),
                (b"x-forwarded-proto", (head.scheme or scope["scheme"]).encode()),
                (b"x-forwarded-host", head.host.encode("latin-1")),
                (b"traceparent", trace.encode()),
            ],
            silent_seconds=route.timeout_seconds,
            length=body.content_length,
        )

    @staticmethod
    async def _relay(exchange: Exchange, answer: Answer) -> None:
        start = {
            "type": "http.response.start",
            "status": answer.status,
            "headers": answer.raw_headers,
        }
        length = answer.content_length
        try:
            if answer.is_whole or (length is not None and length <= BUFFER_BYTES):
                body = await answer.read()
                await exchange.send(start)
                await exchange.send({"type": "http.response.body", "body": body})
                return
            await exchange.send(start)
            async for part in answer.parts():
                await exchange.send({"type": "http.response.body", "body": part, "more_body": True})
            await exchange.send({"type": "http.response.body", "body": b""})
        except (BrokeOff, TimeoutError) as error:
            if exchange.status:
                raise AnswerCutOff from error
            if isinstance(error, TimeoutError):
                raise UpstreamTimeout from error
            raise ServiceBroke from error


def _watched(body: RequestBody, watch: HangUpWatch) -> Parts:
    """The parts of a body; when all have been read, the watch for a hang-up begins."""

    async def parts(clock: Clock) -> AsyncIterator[bytes]:
        async for part in body.stream(clock):
            yield part
        watch.start()

    return parts


def _may_repeat(exchange: Exchange, body: RequestBody, error: NotReached | BrokeOff) -> bool:
    """Whether sending again cannot do anything twice.

    A read may be repeated when a kept connection turned out dead. A POST may be repeated, whether
    refused or cut off, when its Idempotency-Key makes the second one find the first one's answer.
    """
    if body.buffered is None:
        return False
    if exchange.method in READ:
        return isinstance(error, BrokeOff)
    return exchange.method == "POST" and exchange.head.idempotency_key is not None


def _problem(error: NotReached | BrokeOff) -> ServiceError:
    return ServiceUnavailable() if isinstance(error, NotReached) else ServiceBroke()


def _reason(error: ServiceError | AnswerCutOff) -> str:
    match error:
        case ServiceUnavailable():
            return "not-reached"
        case ServiceBroke():
            return "broke-off"
        case UpstreamTimeout():
            return "timeout"
        case _:
            return "cut-off"
