"""Bookings as their resident and the staff of the place see them."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.paging import Page, cut, encode_cursor
from services.facilities.bookings import access, repository, resources
from services.facilities.bookings.records import read_of
from services.facilities.bookings.rules import is_within
from services.facilities.bookings.schemas import BookingRead, BookingVersion, CounterBooking
from services.facilities.hours.service import local_moment
from services.facilities.models import BookingState


async def get(session: AsyncSession, caller: Caller, booking_id: UUID) -> BookingRead:
    """A booking, for its resident or for the staff of its place.

    Raises:
        BookingNotFound: there is none.
        WrongPerson, WrongRole, WrongDivision: neither one's own nor of one's places.
    """
    row = await access.visible(session, caller, booking_id)
    position = None
    if row.state == BookingState.waiting:
        ahead = await repository.count_waiting(session, row.resource_id, row.starts_at, before=row)
        position = ahead + 1
    return read_of(row, waiting_position=position)


async def list_own(
    session: AsyncSession, caller: Caller, *, before: UUID | None, limit: int
) -> Page[BookingRead]:
    """The caller's bookings, the newest first."""
    rows = await repository.list_own(session, caller.account_id, before=before, limit=limit + 1)
    page, more = cut(list(rows), limit)
    items = [read_of(row) for row in page]
    return Page(items=items, next=encode_cursor(items[-1].id) if more else None)


async def list_of_day(
    session: AsyncSession,
    caller: Caller,
    resource_id: UUID,
    day: date,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Page[CounterBooking]:
    """A counter's list of a day, by time.

    Raises:
        ResourceNotFound: there is none.
        WrongDivision: it lies outside the caller's subtree.
    """
    resource = await resources.find(session, resource_id)
    caller.ensure_covers(resource.division_code)
    first = local_moment(datetime.combine(day, datetime.min.time()))
    rows = await repository.list_between(
        session, resource_id, first, first + timedelta(days=1), after=after, limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    on_day = resources.hours_on(
        resource, await resources.timetable_of(session, resource.facility_id, day), day
    )
    items = [
        CounterBooking.model_validate(
            {
                **row._mapping,
                "is_outside_hours": not is_within(on_day.hours or (), row.starts_at, row.ends_at),
            }
        )
        for row in page
    ]
    last = items[-1] if more else None
    return Page(
        items=items, next=encode_cursor(last.starts_at.isoformat(), last.id) if last else None
    )


async def list_history(
    session: AsyncSession, caller: Caller, booking_id: UUID
) -> list[BookingVersion]:
    """What happened to a booking, oldest first.

    Raises:
        BookingNotFound: there is none.
        WrongPerson, WrongRole, WrongDivision: neither one's own nor of one's places.
    """
    row = await access.visible(session, caller, booking_id)
    versions = []
    for entry in await repository.list_history(session, booking_id):
        by = "系统" if entry.actor_id is None else (entry.actor_name or "工作人员")
        if entry.actor_id == row.applicant_id:
            by = "本人"
        versions.append(BookingVersion.model_validate({**entry._mapping, "by": by}))
    return versions
