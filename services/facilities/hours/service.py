"""Open or not, and the days that break a facility's weekly pattern."""

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
from services.facilities.hours import repository
from services.facilities.hours.rules import HORIZON_DAYS, LOCAL, Opening, opening_at
from services.facilities.hours.schemas import (
    Because,
    ExceptionRead,
    ExceptionWrite,
    OpeningRead,
    WeeklyHours,
    day_of,
    shown,
)
from services.facilities.models import FacilityState


class ExceptionNotFound(NotFound):
    code, title = "hours-exception-not-found", "这一天没有特殊安排"


async def opening(session: AsyncSession, facility_id: UUID, at: datetime | None) -> OpeningRead:
    """Whether a facility is open at a moment (now without one), and when that changes.

    A time without offset is local time (Asia/Shanghai).

    Raises:
        FacilityNotFound: there is none.
    """
    moment = _local(at)
    row = await facilities.find_row(session, facility_id)
    if row.state != FacilityState.open:
        return _answer(row, moment, "not-in-operation", Opening(False, None, ()))
    if row.weekly_hours is None:
        unknown = Opening(False, None, ())
        return _answer(row, moment, "hours-unknown", unknown).model_copy(update={"is_open": None})
    today = moment.date()
    special = await repository.list_exceptions(
        session, facility_id, first=today, last=today + timedelta(days=HORIZON_DAYS)
    )
    exceptions = {entry.day: _exception(entry) for entry in special}
    hours = {day: day_of(entry.intervals) for day, entry in exceptions.items()}
    week = WeeklyHours.model_validate(row.weekly_hours).week
    found = opening_at(week, hours, moment)
    if today in exceptions:
        return _answer(row, moment, "exception", found, exceptions[today].reason)
    return _answer(row, moment, "weekly-hours", found)


async def list_exceptions(
    session: AsyncSession, facility_id: UUID, *, after: date | None, limit: int
) -> Page[ExceptionRead]:
    """The exceptions from today on, or after a day.

    Raises:
        FacilityNotFound: there is none.
    """
    await facilities.find_row(session, facility_id)
    first = after + timedelta(days=1) if after else _local(None).date()
    rows = await repository.list_exceptions(session, facility_id, first=first, limit=limit + 1)
    page, more = cut(list(rows), limit)
    items = [_exception(row) for row in page]
    return Page(items=items, next=encode_cursor(items[-1].day.isoformat()) if more else None)


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


def _answer(
    row: Any, moment: datetime, because: Because, opening: Opening, note: str | None = None
) -> OpeningRead:
    return OpeningRead(
        facility_id=row.id,
        at=moment,
        is_open=opening.is_open,
        because=because,
        next_change_at=opening.next_change_at,
        today=shown(opening.today),
        note=note,
    )


def _exception(row: Any) -> ExceptionRead:
    return ExceptionRead(day=row.day, intervals=row.intervals, reason=row.reason)


def _local(at: datetime | None) -> datetime:
    if at is None:
        return outbox.now().astimezone(LOCAL)
    return at.replace(tzinfo=LOCAL) if at.tzinfo is None else at.astimezone(LOCAL)
