"""Refusals that the gateway itself gives, in words for residents."""

from math import ceil
from typing import Any

from servicekit.errors import (
    BadRequest,
    NotFound,
    ServiceError,
    TooMany,
    Unauthenticated,
    Unavailable,
)


class PathUnknown(NotFound):
    code, title = "path-unknown", "没有这个地址，请核对网址"


class PathMalformed(BadRequest):
    code, title = "path-malformed", "网址格式不正确"


class BodyTooSlow(ServiceError):
    status, code, title = 408, "request-timeout", "网络较慢，内容没有传完，请重试"


class RequestUnreadable(BadRequest):
    code, title = "request-unreadable", "请求头格式不正确"


class WithRetryAfter(ServiceError):
    """A refusal that knows when asking again makes sense."""

    def __init__(self, detail: str = "", *, retry_after_seconds: float = 1.0, **extra: Any) -> None:
        super().__init__(detail, **extra)
        seconds = max(1, ceil(retry_after_seconds))
        self.headers = {"Retry-After": str(seconds)}  # type: ignore[misc]  # differs by refusal


class RateLimited(WithRetryAfter, TooMany):
    code, title = "rate-limited", "操作太频繁，请稍后再试"


class ServiceUnavailable(WithRetryAfter, Unavailable):
    """The service cannot be reached, or is left alone after many failures."""

    code, title = "service-unavailable", "这项服务暂时不可用，请稍后再试"


class ServiceBroke(ServiceError):
    """The connection broke before an answer came; whether the service acted is not known."""

    status, code, title = 502, "service-unavailable", "这项服务暂时不可用，请稍后再试"


class UpstreamTimeout(ServiceError):
    status, code, title = 504, "upstream-timeout", "这项服务响应太慢，请稍后再试"


class SessionRevoked(Unauthenticated):
    code, title = "session-revoked", "您已退出登录，请重新登录"
