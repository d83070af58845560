"""Promised dates, and the calendar they follow."""

from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import TimeUnit
from servicekit.errors import NotFound
from servicekit.logging import logger
from services.requests.clock import repository
from services.requests.clock.rules import CalendarMissing, WorkingCalendar, end_of_day, received_on
from services.requests.clock.schemas import CalendarYearRead, CalendarYearWrite
from services.requests.metrics import CALENDAR_MISSING
from services.requests.reference.repository import bump

CALENDAR = "calendar"
SILENCE_DAYS = 5


class CalendarYearNotFound(NotFound):
    code, title = "calendar-year-not-found", "这一年的工作日历尚未录入"


@dataclass(frozen=True, slots=True)
class Promise:
    """When a clock starts and ends; both None while a calendar year is missing."""

    received_on: date | None
    due_on: date | None
    provisional: bool = False


def promise(
    calendar: WorkingCalendar,
    *,
    submitted_at: datetime,
    closes_at: time,
    days: int,
    unit: TimeUnit,
) -> Promise:
    """The promised date of a submission; a missing year is told to the operator, never guessed."""
    start: date | None = None
    try:
        start = received_on(calendar, submitted_at, closes_at)
        due = calendar.add(start, days, unit)
    except CalendarMissing as missing:
        report_missing(missing)
        return Promise(start, None)
    return Promise(start, due, due.year in calendar.provisional_years)


def due_after(calendar: WorkingCalendar, start: date, days: int, unit: TimeUnit) -> date | None:
    """The end of a limit that starts on a day, or None while the calendar is missing."""
    try:
        return calendar.add(start, days, unit)
    except CalendarMissing as missing:
        report_missing(missing)
        return None


def end_of_silence(calendar: WorkingCalendar, start: date | None) -> datetime | None:
    """When silence accepts a case: after five working days without a notice.

    Source: 行政许可法 art. 32 (4). None while the calendar is missing.
    """
    if start is None:
        return None
    last = due_after(calendar, start, SILENCE_DAYS, TimeUnit.working_days)
    return end_of_day(last) if last else None


def report_missing(missing: CalendarMissing) -> None:
    """Tell the operator that a year must be recorded."""
    CALENDAR_MISSING.labels(str(missing.year)).inc()
    logger.error("calendar_year_missing", year=missing.year)


async def load_calendar(session: AsyncSession) -> WorkingCalendar:
    """The calendar as the database has it now."""
    return await repository.load_calendar(session)


async def get_year(session: AsyncSession, year: int) -> CalendarYearRead:
    """One year's holidays and working weekend days.

    Raises:
        CalendarYearNotFound: it is not recorded.
    """
    found = await repository.find_year(session, year)
    if found is None:
        raise CalendarYearNotFound(f"{year} 年的工作日历尚未录入")
    return found


async def record_year(
    session: AsyncSession, year: int, body: CalendarYearWrite
) -> CalendarYearRead:
    """Record or replace a year."""
    await repository.replace_year(session, year, body)
    await bump(session, CALENDAR)
    return await get_year(session, year)
