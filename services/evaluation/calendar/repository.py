"""Queries of the calendar."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, extract, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.evaluation.calendar.rules import WorkingCalendar
from services.evaluation.models import CalendarDay, CalendarYear


async def load_from(session: AsyncSession, first: date) -> WorkingCalendar:
    """The calendar from a day on; limits never look back."""
    years = await session.scalars(
        select(col(CalendarYear.year)).where(col(CalendarYear.year) >= first.year)
    )
    days = await session.execute(
        select(col(CalendarDay.day), col(CalendarDay.is_working)).where(
            col(CalendarDay.day) >= first
        )
    )
    return WorkingCalendar(frozenset(years), {row.day: row.is_working for row in days})


async def replace_years(
    session: AsyncSession, sources: Mapping[int, str], days: Sequence[dict[str, Any]]
) -> None:
    """Write whole years in place of what was there."""
    years = upsert(CalendarYear).values(
        [{"year": year, "source": source} for year, source in sources.items()]
    )
    await session.execute(
        years.on_conflict_do_update(
            index_elements=["year"], set_={"source": years.excluded["source"]}
        )
    )
    await session.execute(
        delete(CalendarDay).where(extract("year", col(CalendarDay.day)).in_(list(sources)))
    )
    await session.execute(insert(CalendarDay), list(days))
