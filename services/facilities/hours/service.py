"""Open or not, and the days that break a facility's weekly pattern."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import NotFound
from servicekit.paging import Page, cut, encode_cursor
from services.facilities.facilities import service as facilities
from services.facilities.facilities.schemas import FacilityRead
from services.facilities.hours import calendar, repository
from services.facilities.hours.calendar import Calendars
from services.facilities.hours.rules import HORIZON_DAYS, LOCAL, Day, Opening
from services.facilities.hours.schemas import (
    ExceptionRead,
    ExceptionWrite,
    HolidayPolicy,
    OpeningRead,
    Season,
    WeeklyHours,
    day_of,
    shown,
)
from services.facilities.hours.timetable import Because, HoursOfDay, Timetable, WorkingDays
from services.facilities.models import FacilityState


class ExceptionNotFound(NotFound):
    code, title = "hours-exception-not-found", "这一天没有特殊安排"


async def opening(session: AsyncSession, facility_id: UUID, at: datetime | None) -> OpeningRead:
    """Whether a facility is open at a moment (now without one), and when that changes.

    A time without offset is local time (Asia/Shanghai).

    Raises:
        FacilityNotFound: there is none.
    """
    moment = local_moment(at)
    row = await facilities.find_row(session, facility_id)
    return (await openings(session, [row], moment))[row.id]


async def openings(
    session: AsyncSession, rows: Sequence[Any], moment: datetime
) -> dict[UUID, OpeningRead]:
    """Facility → whether it is open at a moment; rows as `facilities` has them.

    Two more statements whatever the number of rows.
    """
    tables = await timetables(session, rows, moment.astimezone(LOCAL).date())
    return {row.id: _opening(row, tables.get(row.id), moment) for row in rows}


async def timetables(
    session: AsyncSession, rows: Sequence[Any], first: date
) -> dict[UUID, Timetable]:
    """Facility → what decides its hours from a day on; without those whose hours nobody knows."""
    known = [row for row in rows if row.weekly_hours is not None]
    if not known:
        return {}
    special = await repository.list_exceptions_of(
        session, [row.id for row in known], first=first, last=first + timedelta(days=HORIZON_DAYS)
    )
    exceptions: dict[UUID, dict[date, tuple[Day, str]]] = {row.id: {} for row in known}
    for entry in special:
        shown_entry = _exception(entry)
        exceptions[entry.facility_id][entry.day] = (
            day_of(shown_entry.intervals),
            shown_entry.reason,
        )
    calendars = Calendars()
    if any(row.holiday_policy is not None for row in known):
        calendars = await calendar.load(session, first)
    return {
        row.id: timetable_of(row, exceptions[row.id], calendars.of(row.division_code))
        for row in known
    }


def timetable_of(
    row: Any, exceptions: Mapping[date, tuple[Day, str]], working_days: WorkingDays
) -> Timetable:
    """What decides the hours of a facility whose weekly hours are recorded."""
    return Timetable(
        week=WeeklyHours.model_validate(row.weekly_hours).week,
        seasons=[Season.model_validate(season).rule for season in row.seasons or ()],
        exceptions=exceptions,
        policy=HolidayPolicy.model_validate(row.holiday_policy or {}).rule,
        calendar=working_days,
        last_entry_minutes=row.last_entry_minutes or 0,
    )


async def list_exceptions(
    session: AsyncSession, facility_id: UUID, *, after: date | None, limit: int
) -> Page[ExceptionRead]:
    """The exceptions from today on, or after a day.

    Raises:
        FacilityNotFound: there is none.
    """
    await facilities.find_row(session, facility_id)
    first = after + timedelta(days=1) if after else local_moment(None).date()
    rows = await repository.list_exceptions(session, facility_id, first=first, limit=limit + 1)
    page, more = cut(list(rows), limit)
    items = [_exception(row) for row in page]
    return Page(items=items, next=encode_cursor(items[-1].day.isoformat()) if more else None)


async def list_exceptions_of(
    session: AsyncSession, facility_ids: Sequence[UUID], *, first: date, last: date
) -> dict[UUID, list[Any]]:
    """Facility → its days of their own between two days, in order."""
    rows = await repository.list_exceptions_of(session, facility_ids, first=first, last=last)
    found: dict[UUID, list[Any]] = {}
    for row in sorted(rows, key=lambda row: row.day):
        found.setdefault(row.facility_id, []).append(row)
    return found


async def set_exception(
    session: AsyncSession,
    caller: Caller,
    facility_id: UUID,
    day: date,
    body: ExceptionWrite,
    *,
    expected: int,
) -> FacilityRead:
    """Give one day hours of its own; returns the facility in its new version.

    Raises:
        FacilityNotFound: there is none.
        WrongDivision: it lies outside the caller's subtree.
        StaleVersion: another version of the facility than the one the caller has read.
    """
    row = await facilities.lock(session, caller, facility_id, expected=expected)
    values = {"facility_id": facility_id, "day": day, **body.model_dump()}
    await repository.store_exception(session, values)
    note = f"{day.isoformat()} {body.reason}"
    return await facilities.update(session, caller, row, {}, action="set-hours-of-day", note=note)


async def remove_exception(
    session: AsyncSession, caller: Caller, facility_id: UUID, day: date, *, expected: int
) -> FacilityRead:
    """Let a day follow the weekly pattern again; returns the facility in its new version.

    Raises:
        FacilityNotFound: there is none.
        WrongDivision: it lies outside the caller's subtree.
        StaleVersion: another version of the facility than the one the caller has read.
        ExceptionNotFound: the day follows the pattern already.
    """
    row = await facilities.lock(session, caller, facility_id, expected=expected)
    if await repository.find_exception(session, facility_id, day) is None:
        raise ExceptionNotFound
    await repository.remove_exception(session, facility_id, day)
    return await facilities.update(
        session, caller, row, {}, action="clear-hours-of-day", note=day.isoformat()
    )


def _opening(row: Any, table: Timetable | None, moment: datetime) -> OpeningRead:
    if row.state != FacilityState.open:
        return _answer(
            row, moment, HoursOfDay((), Because.not_in_operation), Opening(False, None, ())
        )
    if table is None:
        unknown = Opening(None, None, ())
        return _answer(row, moment, HoursOfDay(None, Because.hours_unknown), unknown)
    found = table.opening_at(moment)
    answer = _answer(row, moment, table.on(moment.astimezone(LOCAL).date()), found)
    return answer.model_copy(update={"last_entry_at": table.last_entry_at(found)})


def _answer(row: Any, moment: datetime, day: HoursOfDay, opening: Opening) -> OpeningRead:
    return OpeningRead(
        facility_id=row.id,
        at=moment,
        is_open=opening.is_open,
        because=day.because,
        next_change_at=opening.next_change_at,
        today=shown(opening.today),
        note=day.note,
    )


def _exception(row: Any) -> ExceptionRead:
    return ExceptionRead(day=row.day, intervals=row.intervals, reason=row.reason)


def local_moment(at: datetime | None) -> datetime:
    """A moment in local time, now without one; a time without offset is local already."""
    if at is None:
        return outbox.now().astimezone(LOCAL)
    return at.replace(tzinfo=LOCAL) if at.tzinfo is None else at.astimezone(LOCAL)
