"""Errors that a caller may see, and how they become problem documents (RFC 9457)."""

from typing import Any, ClassVar

import asyncpg
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import Response

from servicekit.logging import logger
from servicekit.transient import is_transient
from servicekit.wording import in_chinese

PROBLEM_TYPE = "application/problem+json"


class ServiceError(Exception):
    """Base of every refusal. `title` is for residents, `detail` for whoever reads closer."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "系统暂时无法完成，请稍后再试"
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.extra = extra


class Invalid(ServiceError):
    status, code, title = 422, "invalid-request", "填写的内容有误，请按提示修改"


class BadRequest(ServiceError):
    status, code, title = 400, "malformed-request", "请求格式不正确"


class Unauthenticated(ServiceError):
    status, code, title = 401, "unauthenticated", "请先登录"
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(ServiceError):
    status, code, title = 403, "forbidden", "您没有办理此事的权限"


class NotFound(ServiceError):
    status, code, title = 404, "not-found", "没有找到您要的内容"


class Conflict(ServiceError):
    status, code, title = 409, "conflict", "内容已被他人改动，请刷新后再试"


class Gone(ServiceError):
    status, code, title = 410, "gone", "内容已失效"


class PreconditionRequired(ServiceError):
    status, code, title = 428, "version-required", "请先读取最新内容再提交修改"


class TooMany(ServiceError):
    status, code, title = 429, "too-many-requests", "操作太频繁，请稍后再试"


class Unavailable(ServiceError):
    status, code, title = 503, "unavailable", "服务繁忙，请稍后再试"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "2"}


def problem_document(error: ServiceError, instance: str) -> dict[str, Any]:
    """The RFC 9457 document of a refusal; `instance` is the request id."""
    return {
        "type": f"urn:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "instance": instance,
        **error.extra,
    }


def problem_response(error: ServiceError, instance: str) -> Response:
    """Render a refusal."""
    return Response(
        orjson.dumps(problem_document(error, instance), default=str),
        status_code=error.status,
        media_type=PROBLEM_TYPE,
        headers=error.headers,
    )


async def _service_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    if error.status >= 500 and error.status != 503:
        logger.error("request_failed", code=error.code, exc_info=error)
    return problem_response(error, _instance(request))


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    if any(problem["type"] == "json_invalid" for problem in problems):
        return problem_response(MalformedJson(), _instance(request))
    return problem_response(
        Invalid(errors=[describe(problem) for problem in problems]), _instance(request)
    )


async def _database_error(request: Request, error: Exception) -> Response:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if getattr(cause, "sqlstate", None) in _UNSTORABLE_TEXT:
        return problem_response(UnstorableText(), _instance(request))
    # Our own read-only transactions are no sign of a standby that is about to take over.
    if not is_transient(error) or getattr(cause, "sqlstate", None) == _READ_ONLY:
        raise error
    logger.warning("database_unavailable", error=repr(cause))
    return problem_response(DatabaseUnavailable(), _instance(request))


async def _framework_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    return problem_response(_FRAMEWORK.get(error.status_code, BadRequest)(), _instance(request))


_READ_ONLY = "25006"

#: Constraint name → the error its violation means. Services add theirs to `app.state.constraints`.
ConstraintErrors = dict[str, type[ServiceError]]


def install_error_handlers(app: FastAPI, constraints: ConstraintErrors) -> None:
    """Turn refusals that leave an endpoint into problem documents; the middleware does the rest."""

    async def integrity_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, IntegrityError)
        name = constraint_name(error)
        known = constraints.get(name or "")
        if known is None:
            logger.error("request_failed", constraint=name, exc_info=error)
            return problem_response(ServiceError(), _instance(request))
        return problem_response(known(), _instance(request))

    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(IntegrityError, integrity_error)
    for lost in (DBAPIError, PoolTimeout, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        app.add_exception_handler(lost, _database_error)
    app.add_exception_handler(StarletteHTTPException, _framework_error)


class DatabaseUnavailable(Unavailable):
    code = "database-unavailable"


class MalformedJson(BadRequest):
    code, title = "malformed-json", "请求内容不是有效的 JSON"


class UnstorableText(Invalid):
    code, title = "unstorable-text", "内容里有无法保存的字符"


class WrongContentType(ServiceError):
    status, code, title = 415, "unsupported-media-type", "不收这种格式的内容"


class BodyTooLarge(ServiceError):
    status, code, title = 413, "body-too-large", "提交的内容过大"


class MethodNotAllowed(ServiceError):
    status, code, title = 405, "method-not-allowed", "不支持这种操作"


#: PostgreSQL's codes for text with a NUL character, plain and inside JSON: nothing else finds it.
_UNSTORABLE_TEXT = frozenset({"22021", "22P05"})
_FRAMEWORK: dict[int, type[ServiceError]] = {
    404: NotFound,
    405: MethodNotAllowed,
    413: BodyTooLarge,
}


def constraint_name(error: IntegrityError) -> str | None:
    """The violated constraint, as the naming convention made it stable."""
    name = getattr(error.orig.__cause__, "constraint_name", None) if error.orig else None
    return name if isinstance(name, str) else None


def describe(problem: Any) -> dict[str, Any]:
    """What pydantic found as an entry of `errors`; its location begins with where it was sent."""
    location = [str(part) for part in problem["loc"]]
    return {
        "path": "/" + "/".join(location[1:]),
        "in": location[0] if location else "body",
        "message": in_chinese(problem),
        "type": problem["type"],
    }


def _instance(request: Request) -> str:
    return str(request.scope.get("request_id", ""))
