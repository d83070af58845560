"""Failures that may well be over a little later: a lost database, a deadlock."""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_TRANSIENT = (
    OperationalError, InterfaceError, PoolTimeout, OSError, TimeoutError,
    asyncpg.InterfaceError, asyncpg.InternalClientError,
)  # fmt: skip
#: PostgreSQL errors worth a retry: connection, read-only standby, deadlock and serialization,
#: resources, lock timeout, operator, system.
_SQLSTATES = ("08", "25006", "40", "53", "55P03", "57", "58")


def is_transient(error: BaseException) -> bool:
    """Whether the same work may well succeed a little later."""
    if isinstance(error, _TRANSIENT):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _state(error.orig).startswith(_SQLSTATES)
    return isinstance(error, asyncpg.PostgresError) and _state(error).startswith(_SQLSTATES)


def _state(error: BaseException | None) -> str:
    return getattr(error, "sqlstate", None) or ""
