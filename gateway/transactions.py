"""Transactions of the identity endpoints: refusals that leave a trace, and a lost database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import Database
from servicekit.errors import ServiceError, Unavailable
from servicekit.logging import logger

T = TypeVar("T")
_AWAY = (OSError, OperationalError, InterfaceError, PoolExhausted)


class IdentityUnavailable(Unavailable):
    """Our database is away; whoever has a token goes on, nobody new comes in."""

    code, title = "identity-unavailable", "登录服务暂时不可用，请稍后再试"


@asynccontextmanager
async def transaction(database: Database) -> AsyncIterator[AsyncSession]:
    """One transaction.

    Raises:
        IdentityUnavailable: the database is away.
    """
    with _plainly():
        async with database.transaction() as session:
            yield session


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[AsyncSession]:
    """One read-only transaction.

    Raises:
        IdentityUnavailable: the database is away.
    """
    with _plainly():
        async with database.reading() as session:
            yield session


def settled(outcome: T | ServiceError) -> T:
    """Return an outcome, or raise the refusal it is.

    A refusal raised inside a transaction undoes it. Service functions of the gateway therefore
    return refusals whose effects must stay (a counted attempt, a revoked family); endpoints call
    `settled` after the commit.

    Raises:
        ServiceError: the outcome is a refusal.
    """
    if isinstance(outcome, ServiceError):
        raise outcome
    return outcome


class _plainly:  # noqa: N801 - reads as a statement where it is entered
    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, _AWAY):
            logger.warning("database_away", error=type(error).__name__)
            raise IdentityUnavailable from error
