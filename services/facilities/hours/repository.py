"""Queries of the days that break the weekly pattern."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base

_FACILITY = Base.metadata.tables["facility"]
_TYPE = Base.metadata.tables["facility_type"]
_YEAR = Base.metadata.tables["calendar_year"]
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


async def list_operating(session: AsyncSession, codes: tuple[str, str]) -> Sequence[Any]:
    """Facilities of a subtree in operation, with what decides their hours."""
    statement = (
        select(_FACILITY, _TYPE.c.name.label("type_name"))
        .select_from(_FACILITY.join(_TYPE, _TYPE.c.code == _FACILITY.c.facility_type))
        .where(_FACILITY.c.division_code.between(*codes), _FACILITY.c.state == "open")
        .order_by(_FACILITY.c.division_code, _FACILITY.c.id)
    )
    rows: Sequence[Any] = (await session.execute(statement)).all()
    return rows


async def state_of(session: AsyncSession, codes: tuple[str, str]) -> tuple[int, int, int]:
    """Numbers of which one changes with every write to a facility of a subtree or a calendar."""
    places = select(func.count(), func.coalesce(func.sum(_FACILITY.c.version), 0)).where(
        _FACILITY.c.division_code.between(*codes)
    )
    calendars = select(func.coalesce(func.sum(_YEAR.c.revision), 0))
    count, versions = (await session.execute(places)).one()
    return count, versions, (await session.execute(calendars)).scalar_one()
