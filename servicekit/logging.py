"""Structured logs: JSON lines in production, readable ones in development, never personal data."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

logger: structlog.stdlib.BoundLogger = structlog.get_logger()

#: Fields whose value must never reach a log, whatever it is bound to.
REDACTED = frozenset(
    {
        "address",
        "answers",
        "applicant",
        "authorization",
        "body",
        "contact",
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


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of sensitive fields."""
    for name in REDACTED & event.keys():
        event[name] = "***"
    return event


def configure_logging(*, service: str, process: str, level: str, log_format: str) -> None:
    """Set up structlog and route the standard library's loggers through it, once per process."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    threshold = logging.getLevelName(level.upper())
    if log_format == "json":
        renderer: Any = structlog.processors.JSONRenderer(
            serializer=lambda value, **_: orjson.dumps(value, default=str).decode()
        )
        shared.append(structlog.processors.format_exc_info)
    else:
        # Plain tracebacks: the pretty ones print local variables, and with them personal data.
        renderer = structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
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
