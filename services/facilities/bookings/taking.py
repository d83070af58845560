"""Taking a place: held for one person by the rules, or waited for."""

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid
from servicekit.identifiers import new_id
from servicekit.timers import set_timer
from services.facilities.bookings import reading, repository, resources, slots, steps
from services.facilities.bookings.records import CODE_ALPHABET, CODE_LENGTH
from services.facilities.bookings.resources import is_ahead, slots_on, takes_bookings
from services.facilities.bookings.rules import Action, blocked_until, local_day
from services.facilities.bookings.schemas import BookingCreate, BookingRead
from services.facilities.hours.service import local_moment
from services.facilities.models import BookingState


class SlotUnknown(Invalid):
    code, title = "slot-unknown", "没有这个时段，请从可约时段里选择"


class NotBookable(Conflict):
    code, title = "not-bookable", "这个时段现在不能预约"


class SlotFull(Conflict):
    code, title = "slot-full", "这个时段已约满"


class WaitingListFull(Conflict):
    code, title = "waiting-list-full", "这个时段已约满，候补也已满"


class AlreadyBooked(Conflict):
    code, title = "already-booked", "您在这个时间已有预约"


class TooManyBookings(Conflict):
    code, title = "too-many-bookings", "您在这里未完成的预约已到上限"


class Blocked(Conflict):
    code, title = "booking-blocked", "因多次爽约，暂时不能在这里预约"


async def book(session: AsyncSession, caller: Caller, body: BookingCreate) -> BookingRead:
    """Hold a place of a slot, or wait for one where there is none and waiting was asked for.

    Concurrency: a place is one conditional update of the slot's row, which a check constraint
    guards besides; a person's own requests wait for each other.

    Raises:
        ResourceNotFound, SlotUnknown, NotBookable: no such slot, or not now.
        Blocked, TooManyBookings, AlreadyBooked: the rules for one person.
        SlotFull, WaitingListFull: no place.
    """
    await repository.lock_person(session, caller.account_id)
    resource = await slots.find_resource(session, body.resource_id, share=True)
    if resource is None:
        raise resources.ResourceNotFound
    starts_at, ends_at = await slot_at(session, resource, body.starts_at)
    await _ensure_may_book(session, caller, resource, starts_at, ends_at)
    is_placed = await place_in(session, resource, starts_at, ends_at)
    if not is_placed:
        is_placed = await wait_or_take(session, resource, starts_at, wait=body.wait)
    booking_id = await write(session, caller, resource, starts_at, ends_at, is_placed=is_placed)
    return await reading.get(session, caller, booking_id)


async def slot_at(
    session: AsyncSession, resource: Any, wanted: datetime
) -> tuple[datetime, datetime]:
    """Beginning and end of a slot that may be booked now.

    Raises:
        SlotUnknown, NotBookable: no such slot, or not now.
    """
    moment = local_moment(wanted)
    found, _ = await slots_on(session, resource, moment.date())
    one = next((one for one in found if one[0] == moment), None)
    if one is None:
        raise SlotUnknown
    if (
        not takes_bookings(resource)
        or not is_ahead(resource, one[0], outbox.now())
        or await slots.collides(session, resource.id, *one)
    ):
        raise NotBookable
    return one


async def place_in(
    session: AsyncSession, resource: Any, starts_at: datetime, ends_at: datetime
) -> bool:
    """Take a place of a slot; False when there is none left."""
    await slots.make_slot(
        session,
        {
            "resource_id": resource.id,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "capacity": resource.capacity,
            "taken": 0,
        },
    )
    return await slots.take(session, resource.id, starts_at)


async def _ensure_may_book(
    session: AsyncSession, caller: Caller, resource: Any, starts_at: datetime, ends_at: datetime
) -> None:
    person, place = caller.account_id, resource.facility_id
    missed = await repository.missed_days(session, person, place, resource.no_show_limit)
    until = blocked_until(missed, resource.no_show_limit, resource.block_days)
    if until is not None and until >= local_day(outbox.now()):
        raise Blocked(blocked_until=until.isoformat())
    if await repository.count_open(session, person, place) >= resource.max_open:
        raise TooManyBookings(max_open=resource.max_open)
    if await repository.overlaps(session, person, starts_at, ends_at):
        raise AlreadyBooked


async def wait_or_take(
    session: AsyncSession,
    resource: Any,
    starts_at: datetime,
    *,
    wait: bool,
    comes_first: bool = False,
) -> bool:
    """Whether a place was free after all; if not, and there is room, the person waits.

    Who comes first (after losing a place to a change of hours) needs no room in the list.

    Raises:
        SlotFull, WaitingListFull: no place, and none to wait in.
    """
    can_wait = comes_first or resource.waiting_places > 0
    if not wait or not can_wait:
        raise SlotFull(can_wait=can_wait)
    # From here on nobody gives a place back unseen: they need the row that we hold.
    await slots.lock_slot(session, resource.id, starts_at)
    if await slots.take(session, resource.id, starts_at):
        return True
    if comes_first:
        return False
    if await repository.count_waiting(session, resource.id, starts_at) >= resource.waiting_places:
        raise WaitingListFull
    return False


async def write(
    session: AsyncSession,
    caller: Caller,
    resource: Any,
    starts_at: datetime,
    ends_at: datetime,
    *,
    is_placed: bool,
    replaces_id: UUID | None = None,
) -> UUID:
    """Write a new booking that holds a place, or waits for one; returns its id."""
    now = outbox.now()
    until = min(now + timedelta(minutes=resource.hold_minutes), starts_at)
    state = BookingState.held if is_placed else BookingState.waiting
    booking_id = new_id()
    await repository.add(
        session,
        {
            "id": booking_id,
            "version": 1,
            "code": "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH)),
            "resource_id": resource.id,
            "facility_id": resource.facility_id,
            "applicant_id": caller.account_id,
            "state": state,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "expires_at": until if is_placed else None,
            "replaces_id": replaces_id,
            "recorded_at": now,
        },
    )
    action = Action.hold if is_placed else Action.wait
    await steps.write_history(session, booking_id, 1, action, None, state, caller=caller)
    kind, due_at = (steps.HOLD, until) if is_placed else (steps.WAIT, starts_at)
    await set_timer(session, kind, booking_id, due_at)
    return booking_id
