"""Promised dates, and the calendar they follow."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.requests import CalendarDay, CalendarYearRecorded
from contracts.values import TimeUnit
from servicekit import outbox
from servicekit.errors import NotFound
from servicekit.identifiers import new_id
from servicekit.logging import logger
from servicekit.timers import set_timer
from services.requests.clock import repository
from services.requests.clock.calendars import Calendars
from services.requests.clock.policies import Policies
from services.requests.clock.rules import (
    CalendarMissing,
    WorkingCalendar,
    changed_days,
    end_of_day,
    received_on,
)
from services.requests.clock.schemas import CalendarYearRead, CalendarYearWrite, ClockPolicyBody
from services.requests.metrics import CALENDAR_MISSING
from services.requests.reference.repository import bump

CALENDAR = "calendar"
#: Kind of timers whose subject is a correction of the calendar.
CORRECTION = "calendar-correction"
#: By then every process counts by the new days: none gives a date by the old ones behind us.
SETTLED = timedelta(seconds=5)
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


async def load_calendars(session: AsyncSession) -> Calendars:
    """The calendars as the database has them now."""
    return await repository.load_calendars(session)


async def load_policies(session: AsyncSession) -> Policies:
    """The thresholds as the database has them now."""
    return await repository.load_policies(session)


async def record_policy(session: AsyncSession, division_code: str, body: ClockPolicyBody) -> None:
    """Set the thresholds of a division and all below it."""
    await repository.set_policy(session, division_code, body)
    await bump(session, "clock-policies")


async def get_year(
    session: AsyncSession, year: int, division_code: str | None = None
) -> CalendarYearRead:
    """One year's holidays and working weekend days, of the country or of a division.

    Raises:
        CalendarYearNotFound: it is not recorded.
    """
    if division_code is None:
        found = await repository.find_year(session, year)
    else:
        found = await repository.find_local_year(session, division_code, year)
    if found is None:
        raise CalendarYearNotFound(f"{year} 年的工作日历尚未录入")
    return found


async def record_year(
    session: AsyncSession, year: int, body: CalendarYearWrite, division_code: str | None = None
) -> CalendarYearRead:
    """Record or replace a year of the country, or a division's own days in it; others are told.

    Open cases whose limits touch the days that changed follow in the worker.
    """
    if division_code is None:
        known = await repository.find_year(session, year)
        await repository.replace_year(session, year, body)
    else:
        known = await repository.find_local_year(session, division_code, year)
        await repository.replace_local_year(session, division_code, year, body)
    await bump(session, CALENDAR)
    await _correct(session, year, body, known, division_code)
    recorded = await get_year(session, year, division_code)
    await _tell(session, recorded)
    return recorded


async def _correct(
    session: AsyncSession,
    year: int,
    body: CalendarYearWrite,
    known: CalendarYearRead | None,
    division_code: str | None,
) -> None:
    """Let the worker bring open cases after the days that changed, if any did."""
    old = {each.day: each.is_working for each in known.days} if known is not None else None
    new = {each.day: each.is_working for each in body.days}
    span = changed_days(old, new, year, is_national=division_code is None)
    if span is None:
        return
    correction_id, now = new_id(), datetime.now(UTC)
    row = {
        "id": correction_id,
        "division_code": division_code,
        "year": year,
        "source": body.source,
        "first_day": span[0],
        "last_day": span[1],
        "recorded_at": now,
    }
    await repository.add_correction(session, row)
    await set_timer(session, CORRECTION, correction_id, now + SETTLED)


async def tell_untold_years(session: AsyncSession) -> int:
    """Tell of years that were recorded before this service told of calendars; return how many."""
    years = await repository.list_untold_years(session)
    for year in years:
        await repository.mark_told(session, year)
        await _tell(session, await get_year(session, year))
    return len(years)


async def _tell(session: AsyncSession, recorded: CalendarYearRead) -> None:
    event = CalendarYearRecorded(
        calendar_key=f"{recorded.division_code or 'CN'}:{recorded.year}",
        division_code=recorded.division_code,
        year=recorded.year,
        ordered_by=recorded.source,
        provisional=recorded.provisional,
        days=tuple(
            CalendarDay(day=entry.day, is_working=entry.is_working, label=entry.note)
            for entry in recorded.days
        ),
        revision=recorded.revision,
        recorded_at=datetime.now(UTC),
    )
    await outbox.record(session, event)
