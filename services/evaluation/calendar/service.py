"""Limits in working days, and the years they are known for."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.requests import CalendarYearRecorded
from contracts.values import SIGNIFICANT_DIGITS, division_prefix
from servicekit.logging import logger
from services.evaluation.calendar import repository
from services.evaluation.calendar.rules import CalendarMissing, WorkingCalendar
from services.evaluation.metrics import CALENDAR_MISSING


def places_above(division_code: str) -> list[str]:
    """A division and all above it, highest first."""
    known = len(division_prefix(division_code))
    levels = [digits for digits in SIGNIFICANT_DIGITS.values() if digits <= known]
    return [division_code[:digits].ljust(12, "0") for digits in levels]


async def calendar_of(session: AsyncSession, first: date, division_code: str) -> WorkingCalendar:
    """The calendar of a division from a day on: the country's, with what the division changes."""
    return await repository.load_from(session, first, places_above(division_code))


async def due_after(
    session: AsyncSession, start: date, working_days: int, division_code: str
) -> date | None:
    """The last day of a limit, or None while a year is missing; the operator is told, not a guess."""
    calendar = await calendar_of(session, start, division_code)
    return add(calendar, start, working_days)


def add(calendar: WorkingCalendar, start: date, working_days: int) -> date | None:
    """The last day of a limit by a calendar, or None while a year is missing."""
    try:
        return calendar.add(start, working_days)
    except CalendarMissing as missing:
        CALENDAR_MISSING.labels(str(missing.year)).inc()
        logger.error("calendar_year_missing", year=missing.year)
        return None


async def take_year(session: AsyncSession, event: CalendarYearRecorded) -> bool:
    """Keep a year as requests recorded it; False when a newer record of it is here."""
    return await repository.keep_year(
        session,
        {
            "division_code": event.division_code or repository.COUNTRY,
            "year": event.year,
            "revision": event.revision,
            "provisional": event.provisional,
            "source": event.ordered_by,
        },
        [(day.day, day.is_working, day.label) for day in event.days],
    )


async def record_years(
    session: AsyncSession, sources: Mapping[int, str], days: Mapping[date, tuple[bool, str]]
) -> None:
    """Start with the published years; a year that requests has told of is left as it is told."""
    for year, source in sources.items():
        await repository.keep_year(
            session,
            {
                "division_code": repository.COUNTRY,
                "year": year,
                "revision": 0,
                "provisional": False,
                "source": source,
            },
            [(day, *what) for day, what in days.items() if day.year == year],
        )
