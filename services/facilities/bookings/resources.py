"""What takes bookings: counters and rooms with their rules, and the slots of a day."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.etags import StaleVersion
from servicekit.identifiers import new_id
from services.facilities.bookings import slots
from services.facilities.bookings.rules import common_hours, local_day, slots_of
from services.facilities.bookings.schemas import (
    DaySlots,
    ResourceCreate,
    ResourceRead,
    ResourceRules,
    SlotRead,
)
from services.facilities.facilities import service as facilities
from services.facilities.hours import service as hours
from services.facilities.hours.schemas import WeeklyHours
from services.facilities.hours.timetable import Because, HoursOfDay, Timetable
from services.facilities.models import FacilityState


class ResourceNotFound(NotFound):
    code, title = "booking-resource-not-found", "没有这个可预约的窗口或房间"


class ResourceTaken(Conflict):
    code, title = "booking-resource-taken", "这个窗口或房间已经开通预约"


class NotOfThisPlace(Invalid):
    code, title = "not-of-this-place", "这个窗口或房间不在这处设施里"


class SlotsBooked(Conflict):
    code, title = "slots-booked", "已有预约，不能改变时段长短；请等已约时段过去，或先取消"


class ResourceInUse(Conflict):
    code, title = "booking-resource-in-use", "它已开通预约，不能删除；可以先停用预约"


async def get(session: AsyncSession, resource_id: UUID) -> ResourceRead:
    """One resource.

    Raises:
        ResourceNotFound: there is none.
    """
    return ResourceRead.model_validate(dict((await find(session, resource_id))._mapping))


async def find(session: AsyncSession, resource_id: UUID) -> Any:
    """The row of a resource.

    Raises:
        ResourceNotFound: there is none.
    """
    row = await slots.find_resource(session, resource_id)
    if row is None:
        raise ResourceNotFound
    return row


async def list_of_facility(session: AsyncSession, facility_id: UUID) -> list[ResourceRead]:
    """What takes bookings in a facility.

    Raises:
        FacilityNotFound: there is no such facility.
    """
    await facilities.find_row(session, facility_id)
    rows = await slots.list_resources(session, facility_id)
    return [ResourceRead.model_validate(dict(row._mapping)) for row in rows]


async def create(
    session: AsyncSession, caller: Caller, facility_id: UUID, body: ResourceCreate
) -> ResourceRead:
    """Let a counter or a room take bookings.

    Raises:
        FacilityNotFound: there is no such facility.
        WrongDivision: it lies outside the caller's subtree.
        NotOfThisPlace: the counter or room is none of the facility's.
        ResourceTaken: it takes bookings already.
    """
    # Locked: a change of hours at this moment sees the resource, or is seen by it.
    caller.ensure_covers((await facilities.lock_row(session, facility_id)).division_code)
    is_here = await slots.belongs(
        session, facility_id, counter_id=body.counter_id, room_id=body.room_id
    )
    if not is_here:
        raise NotOfThisPlace
    values = body.model_dump() | {
        "id": new_id(),
        "facility_id": facility_id,
        "version": 1,
        "recorded_at": outbox.now(),
    }
    if not await slots.add_resource(session, values):
        raise ResourceTaken
    return await get(session, values["id"])


async def change(
    session: AsyncSession, caller: Caller, resource_id: UUID, body: ResourceRules, *, expected: int
) -> tuple[ResourceRead, list[datetime]]:
    """Write over the rules; returns the coming slots whose capacity may have grown.

    A capacity below what is booked leaves what is booked.

    Raises:
        ResourceNotFound: there is none.
        WrongDivision: it lies outside the caller's subtree.
        StaleVersion: another version than the one the caller has read.
        SlotsBooked: slots cannot become longer or shorter while coming ones are booked.
    """
    row = await slots.find_resource(session, resource_id, lock=True)
    if row is None:
        raise ResourceNotFound
    caller.ensure_covers(row.division_code)
    if row.version != expected:
        raise StaleVersion
    now = outbox.now()
    if body.slot_minutes != row.slot_minutes and await slots.is_booked_ahead(
        session, resource_id, now
    ):
        raise SlotsBooked
    values = body.model_dump() | {"version": row.version + 1, "recorded_at": now}
    await slots.change_resource(session, resource_id, values)
    resized = await slots.resize_slots(session, resource_id, body.capacity, now)
    return await get(session, resource_id), resized


async def slots_of_day(session: AsyncSession, resource_id: UUID, day: date) -> DaySlots:
    """The slots of a day with what is free in them.

    Raises:
        ResourceNotFound: there is none.
    """
    row = await find(session, resource_id)
    found, because = await slots_on(session, row, day)
    taken = {}
    if found:
        taken = await slots.list_slots(session, resource_id, found[0][0], found[-1][0])
    now = outbox.now()
    items = []
    for starts_at, ends_at in found:
        known = taken.get(starts_at)
        capacity = known.capacity if known else row.capacity
        free = capacity - (known.taken if known else 0)
        items.append(
            SlotRead(
                starts_at=starts_at,
                ends_at=ends_at,
                capacity=capacity,
                free=free,
                waiting=known.waiting if known else 0,
                is_bookable=free > 0 and takes_bookings(row) and is_ahead(row, starts_at, now),
            )
        )
    return DaySlots(resource_id=resource_id, day=day, because=because, items=items)


async def slots_on(
    session: AsyncSession, row: Any, day: date
) -> tuple[list[tuple[datetime, datetime]], str]:
    """Beginning and end of a day's slots, by the hours of the place and of the counter."""
    on_day = hours_on(row, await timetable_of(session, row.facility_id, day), day)
    return list(slots_of(day, on_day.hours or (), row.slot_minutes)), on_day.because


async def timetable_of(session: AsyncSession, facility_id: UUID, first: date) -> Timetable | None:
    """What decides the hours of a place from a day on; None: nobody recorded them."""
    place = await facilities.find_row(session, facility_id)
    return (await hours.timetables(session, [place], first)).get(facility_id)


def hours_on(row: Any, table: Timetable | None, day: date) -> HoursOfDay:
    """When both the place and the counter are open on a day; hours None: not known."""
    if table is None:
        return HoursOfDay(None, Because.hours_unknown)
    on_day = table.on(day)
    if on_day.hours is None or row.counter_hours is None:
        return on_day
    week = WeeklyHours.model_validate(row.counter_hours).week
    return replace(on_day, hours=common_hours(on_day.hours, week[day.weekday()]))


def takes_bookings(row: Any) -> bool:
    """Whether a resource takes bookings at all today."""
    return bool(row.is_active and row.is_staffed and row.facility_state == FacilityState.open)


def is_ahead(row: Any, starts_at: datetime, now: datetime) -> bool:
    """Whether a slot has not begun and is not too far ahead."""
    return starts_at > now and local_day(starts_at) <= local_day(now) + timedelta(
        days=row.days_ahead
    )
