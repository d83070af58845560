"""Queries of the calendar."""

from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.requests.clock.rules import WorkingCalendar
from services.requests.clock.schemas import CalendarDayBody, CalendarYearRead, CalendarYearWrite
from services.requests.models import CalendarDay, CalendarYear
from services.requests.reference.repository import list_calendar_days, list_calendar_years


async def load_calendar(session: AsyncSession) -> WorkingCalendar:
    """All years."""
    years = await list_calendar_years(session)
    provisional = frozenset(year for year, is_provisional in years.items() if is_provisional)
    return WorkingCalendar(frozenset(years), await list_calendar_days(session), provisional)


async def find_year(session: AsyncSession, year: int) -> CalendarYearRead | None:
    """One year with its days, or None."""
    columns = (col(CalendarYear.source), col(CalendarYear.provisional))
    row = (
        await session.execute(select(*columns).where(col(CalendarYear.year) == year))
    ).one_or_none()
    if row is None:
        return None
    days = await session.execute(
        select(col(CalendarDay.day), col(CalendarDay.is_working), col(CalendarDay.note))
        .where(_within(year))
        .order_by(col(CalendarDay.day))
    )
    return CalendarYearRead(
        year=year,
        source=row.source,
        provisional=row.provisional,
        days=[CalendarDayBody(day=d.day, is_working=d.is_working, note=d.note) for d in days],
    )


async def replace_year(session: AsyncSession, year: int, body: CalendarYearWrite) -> None:
    """Write a year and its days in place of what was there."""
    statement = upsert(CalendarYear).values(
        year=year, source=body.source, provisional=body.provisional
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["year"],
            set_={"source": body.source, "provisional": body.provisional},
        )
    )
    await session.execute(delete(CalendarDay).where(_within(year)))
    if body.days:
        await session.execute(insert(CalendarDay), [entry.model_dump() for entry in body.days])


def _within(year: int) -> Any:
    return col(CalendarDay.day).between(date(year, 1, 1), date(year, 12, 31))
