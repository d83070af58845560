"""Queries of the days that break the weekly pattern."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base

_EXCEPTION = Base.metadata.tables["hours_exception"]


async def list_exceptions(
    session: AsyncSession,
    facility_id: UUID,
    *,
    first: date,
    last: date | None = None,
    limit: int | None = None,
) -> Sequence[Any]:
    """Exceptions of a facility from a day on, in order."""
    statement = (
        select(_EXCEPTION)
        .where(_EXCEPTION.c.facility_id == facility_id, _EXCEPTION.c.day >= first)
        .order_by(_EXCEPTION.c.day)
    )
    if last is not None:
        statement = statement.where(_EXCEPTION.c.day <= last)
    return (await session.execute(statement.limit(limit))).all()


async def list_exceptions_of(
    session: AsyncSession, facility_ids: Sequence[UUID], *, first: date, last: date
) -> Sequence[Any]:
    """Exceptions of several facilities between two days, both included."""
    statement = select(_EXCEPTION).where(
        _EXCEPTION.c.facility_id.in_(facility_ids),
        _EXCEPTION.c.day.between(first, last),
    )
    return (await session.execute(statement)).all()


async def find_exception(session: AsyncSession, facility_id: UUID, day: date) -> Any | None:
    """The exception of one day, if there is one."""
    statement = select(_EXCEPTION).where(
        _EXCEPTION.c.facility_id == facility_id, _EXCEPTION.c.day == day
    )
    return (await session.execute(statement)).one_or_none()


async def store_exception(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write the exception of a day in place of what was there."""
    statement = upsert(_EXCEPTION).values(values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["facility_id", "day"],
            set_={name: statement.excluded[name] for name in ("intervals", "reason")},
        )
    )


async def remove_exception(session: AsyncSession, facility_id: UUID, day: date) -> None:
    """Let a day follow the weekly pattern again."""
    await session.execute(
        delete(_EXCEPTION).where(_EXCEPTION.c.facility_id == facility_id, _EXCEPTION.c.day == day)
    )
