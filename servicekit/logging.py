"""Structured logs: JSON lines in production, readable ones in development, never personal data."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from io import StringIO
from typing import Any

import orjson
import structlog
from opentelemetry import trace

logger: structlog.stdlib.BoundLogger = structlog.get_logger()

#: Fields whose value must never reach a log, whatever it is bound to and however deep it lies.
REDACTED = frozenset(
    {
        "access_token",
        "address",
        "answers",
        "applicant",
        "applicant_name",
        "authorization",
        "body",
        "contact",
        "cookie",
        "email",
        "identity_number",
        "mobile",
        "parties",
        "password",
        "phone",
        "refresh_token",
        "text",
        "token",
    }
)


#: Where PostgreSQL repeats the values of a row that it refused.
_ROW_VALUES = re.compile(r"^DETAIL:.*$", re.MULTILINE)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of sensitive fields."""
    return {name: "***" if name in REDACTED else _redacted(event[name]) for name in event}


def _redacted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return redact(None, "", dict(value))
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    return value


def _traceback(exc_info: Any) -> str:
    """A plain traceback: the pretty ones print local variables, and with them personal data."""
    text = StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    return _ROW_VALUES.sub("DETAIL: ***", text.getvalue()).strip("\n")


def add_trace_id(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Name the trace a line belongs to, when there is one."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
    return event


def configure_logging(*, service: str, process: str, level: str, log_format: str) -> None:
    """Set up structlog and route the standard library's loggers through it, once per process."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        add_trace_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    threshold = logging.getLevelName(level.upper())
    if log_format == "json":
        renderer: Any = structlog.processors.JSONRenderer(
            serializer=lambda value, **_: orjson.dumps(value, default=str).decode()
        )
        shared.append(structlog.processors.ExceptionRenderer(_traceback))
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=False,
            pad_event_to=0,
            exception_formatter=lambda out, exc_info: print("\n" + _traceback(exc_info), file=out),
        )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, process=process)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=renderer)
    )
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.WARNING), force=True)
