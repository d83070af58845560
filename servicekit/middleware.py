"""The one middleware of a service, in plain ASGI: id, limits, metrics, log line, trace."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from opentelemetry.trace import SpanKind
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit.errors import BodyTooLarge, ServiceError, WrongContentType, problem_response
from servicekit.identifiers import new_id
from servicekit.logging import logger
from servicekit.metrics import HTTP_REQUESTS, HTTP_SECONDS
from servicekit.tracing import span

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = frozenset({"/livez", "/readyz"})
_JSON = ("application/json", "application/merge-patch+json")


@dataclass(frozen=True, slots=True)
class Upload:
    """Paths that take files, within bounds of their own."""

    path: re.Pattern[str]
    content_types: tuple[str, ...]
    limit_bytes: int


class RequestMiddleware:
    """Gives every request an id, bounds its body, counts and times it by route template."""

    def __init__(
        self, app: ASGIApp, *, body_limit_bytes: int, uploads: Sequence[Upload] = ()
    ) -> None:
        self._app = app
        self._uploads = uploads
        self._anything_else = Upload(re.compile(".*"), _JSON, body_limit_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = _request_id(headers)
        scope["request_id"] = request_id
        status, answered = 500, False
        started = time.perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], True
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=request_id)
        parent = headers.get(b"traceparent", b"").decode("latin-1") or None
        bounds = self._bounds_of(scope["path"])
        try:
            with span(scope["method"], SpanKind.SERVER, parent) as current:
                refusal = _refusal(scope, headers, bounds)
                if refusal is not None:
                    await problem_response(refusal, request_id)(scope, receive, answer)
                else:
                    await self._app(scope, _bounded(receive, bounds.limit_bytes), answer)
                current.update_name(f"{scope['method']} {route_template(scope)}")
        except Exception as error:  # noqa: BLE001 - the last edge: told once, with its traceback
            logger.error("request_failed", exc_info=error)
            if not answered:
                await problem_response(ServiceError(), request_id)(scope, receive, answer)
        finally:
            self._record(scope, status, time.perf_counter() - started)

    def _bounds_of(self, path: str) -> Upload:
        for upload in self._uploads:
            if upload.path.fullmatch(path):
                return upload
        return self._anything_else

    @staticmethod
    def _record(scope: Scope, status: int, seconds: float) -> None:
        route = route_template(scope)
        status_class = f"{status // 100}xx"
        HTTP_REQUESTS.labels(scope["method"], route, status_class).inc()
        HTTP_SECONDS.labels(scope["method"], route).observe(seconds)
        if scope["path"] not in _QUIET:
            logger.debug(
                "request_answered",
                method=scope["method"],
                route=route,
                status=status,
                milliseconds=round(seconds * 1000, 1),
            )


def _refusal(scope: Scope, headers: dict[bytes, bytes], bounds: Upload) -> ServiceError | None:
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > bounds.limit_bytes:
        return BodyTooLarge()
    has_body = length not in (b"0", b"") or b"transfer-encoding" in headers
    if has_body and scope["method"] in ("POST", "PUT", "PATCH"):
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().decode("latin-1")
        if kind.lower() not in bounds.content_types:
            wanted = "、".join(bounds.content_types)
            return WrongContentType(f"可以是：{wanted}", accepts=list(bounds.content_types))
    return None


def _bounded(receive: Receive, limit_bytes: int) -> Receive:
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit_bytes:
            raise _TooLargeWhileReading
        return message

    return bounded


class _TooLargeWhileReading(HTTPException):
    """The body turned out larger than its declared or allowed size.

    FastAPI passes on an `HTTPException` raised while it reads the body, and nothing else.
    """

    def __init__(self) -> None:
        super().__init__(BodyTooLarge.status)


def route_template(scope: Scope) -> str:
    """`/v1/cases/{case_id}`; requests that match no route share one label."""
    route: Any = scope.get("route")
    return str(getattr(route, "path", None) or "unmatched")


def _request_id(headers: dict[bytes, bytes]) -> str:
    offered = headers.get(b"x-request-id", b"").decode("latin-1")
    return offered if _REQUEST_ID.fullmatch(offered) else str(new_id())
