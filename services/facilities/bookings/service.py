"""Booking a place: taken, confirmed, given back, waited for, and used."""

import secrets
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.facilities import BookingAttended, BookingCancelled
from servicekit import outbox
from servicekit.auth import Caller, WrongDivision, WrongPerson, WrongRole
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.identifiers import new_id
from servicekit.paging import Page, cut, encode_cursor
from servicekit.timers import cancel_timers, set_timer
from services.facilities.bookings import repository, resources, steps
from services.facilities.bookings.records import CODE_ALPHABET, CODE_LENGTH, facts_of, read_of
from services.facilities.bookings.resources import is_ahead, slots_on, takes_bookings
from services.facilities.bookings.rules import Action, blocked_until, local_day
from services.facilities.bookings.schemas import (
    BookingCreate,
    BookingEntry,
    BookingRead,
    BookingVersion,
    CounterBooking,
    ResourceRead,
    ResourceRules,
)
from services.facilities.hours.service import local_moment
from services.facilities.models import BookingState

#: Who works at counters.
STAFF = ("window-clerk", "village-agent", "facility-manager")
#: How long before its beginning somebody may be checked in.
EARLY = timedelta(hours=1)


class BookingNotFound(NotFound):
    code, title = "booking-not-found", "没有这个预约"


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


class HoldOver(Conflict):
    code, title = "hold-over", "占位已过期，请重新预约"


class TooLateToCancel(Conflict):
    code, title = "too-late-to-cancel", "离开始时间太近，不能取消；请联系场所"


class ReasonMissing(Invalid):
    code, title = "reason-missing", "请写明取消的原因"


class NotThatDay(Conflict):
    code, title = "not-that-day", "不在预约的时间，不能签到"


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
    resource = await repository.find_resource(session, body.resource_id, share=True)
    if resource is None:
        raise resources.ResourceNotFound
    starts_at, ends_at = await _slot(session, resource, body.starts_at)
    await _ensure_may_book(session, caller, resource, starts_at, ends_at)
    slot = {"resource_id": resource.id, "starts_at": starts_at}
    await repository.make_slot(
        session, slot | {"ends_at": ends_at, "capacity": resource.capacity, "taken": 0}
    )
    is_placed = await repository.take(session, resource.id, starts_at)
    if not is_placed:
        is_placed = await _wait_or_take(session, resource, starts_at, wait=body.wait)
    return await _booked(session, caller, resource, starts_at, ends_at, is_placed=is_placed)


async def confirm(session: AsyncSession, caller: Caller, booking_id: UUID) -> BookingRead:
    """Confirm a held place; a second time changes nothing.

    Raises:
        BookingNotFound: there is none.
        WrongPerson: it is somebody else's.
        HoldOver: the place is not kept any longer.
        BookingActionImpossible: not in its present state.
    """
    row = await _own(session, caller, booking_id)
    if row.state == BookingState.confirmed:
        return read_of(row)
    is_over = row.state == BookingState.expired or (
        row.state == BookingState.held and row.expires_at <= outbox.now()
    )
    if is_over:
        raise HoldOver
    return read_of(await steps.confirm(session, row, caller))


async def cancel(
    session: AsyncSession, caller: Caller, booking_id: UUID, reason: str | None
) -> BookingRead:
    """Give up a booking: by its resident in time, or by the place with a reason.

    Raises:
        BookingNotFound: there is none.
        WrongPerson, WrongRole, WrongDivision: neither one's own nor of a place one manages.
        ReasonMissing: the place gives none.
        TooLateToCancel: by the resident, shortly before the beginning.
        BookingActionImpossible: not in its present state.
    """
    row = await _locked(session, booking_id)
    if caller.is_resident:
        _ensure_own(caller, row)
    else:
        _ensure_manager(caller, row)
        if reason is None:
            raise ReasonMissing
    if row.state == BookingState.cancelled:
        return read_of(row)
    latest = row.starts_at - timedelta(minutes=row.cancel_minutes)
    if caller.is_resident and row.state == BookingState.confirmed and outbox.now() > latest:
        raise TooLateToCancel
    had_place = row.state in steps.PLACED
    changed = await steps.step(session, row, Action.cancel, caller=caller, note=reason)
    await cancel_timers(session, row.id, *steps.TIMERS)
    by = "resident" if caller.is_resident else "place"
    await outbox.record(session, BookingCancelled(**facts_of(changed), by=by, reason=reason))
    if had_place:
        await steps.free_place(session, row.resource_id, row.starts_at)
    return read_of(changed)


async def check_in(session: AsyncSession, caller: Caller, booking_id: UUID) -> BookingEntry:
    """Note that somebody came, on the day, from an hour before; a second time changes nothing.

    Raises:
        BookingNotFound: there is none.
        WrongDivision: the place lies outside the caller's subtree.
        NotThatDay: too early, or another day.
        BookingActionImpossible: not in its present state.
    """
    row = await _locked(session, booking_id)
    caller.ensure_covers(row.division_code)
    if row.state == BookingState.attended:
        return BookingEntry.model_validate(dict(row._mapping))
    now = outbox.now()
    if now < row.starts_at - EARLY or local_day(now) != local_day(row.starts_at):
        raise NotThatDay
    changed = await steps.step(session, row, Action.check_in, caller=caller)
    await cancel_timers(session, row.id, steps.REMINDER, steps.END)
    await outbox.record(session, BookingAttended(**facts_of(changed)))
    return BookingEntry.model_validate(dict(changed._mapping))


async def get(session: AsyncSession, caller: Caller, booking_id: UUID) -> BookingRead:
    """A booking, for its resident or for the staff of its place.

    Raises:
        BookingNotFound: there is none.
        WrongPerson, WrongRole, WrongDivision: neither one's own nor of one's places.
    """
    row = await _visible(session, caller, booking_id)
    position = None
    if row.state == BookingState.waiting:
        ahead = await repository.count_waiting(
            session, row.resource_id, row.starts_at, before=row.id
        )
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
    found, _ = await slots_on(session, resource, day)
    begins = {starts_at for starts_at, _ in found}
    items = [
        CounterBooking.model_validate(
            {**row._mapping, "is_outside_hours": row.starts_at not in begins}
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
    row = await _visible(session, caller, booking_id)
    versions = []
    for entry in await repository.list_history(session, booking_id):
        by = "系统" if entry.actor_id is None else (entry.actor_name or "工作人员")
        if entry.actor_id == row.applicant_id:
            by = "本人"
        versions.append(BookingVersion.model_validate({**entry._mapping, "by": by}))
    return versions


async def change_rules(
    session: AsyncSession, caller: Caller, resource_id: UUID, body: ResourceRules, *, expected: int
) -> ResourceRead:
    """Write over the rules of a resource; where there is more room, who waits moves up.

    Raises:
        ResourceNotFound, WrongDivision, StaleVersion, SlotsBooked: as `resources.change`.
    """
    changed, resized = await resources.change(session, caller, resource_id, body, expected=expected)
    for starts_at in resized:
        await steps.move_up(session, resource_id, starts_at)
    return changed


async def _slot(
    session: AsyncSession, resource: Any, wanted: datetime
) -> tuple[datetime, datetime]:
    moment = local_moment(wanted)
    found, _ = await slots_on(session, resource, moment.date())
    slot = next((slot for slot in found if slot[0] == moment), None)
    if slot is None:
        raise SlotUnknown
    if (
        not takes_bookings(resource)
        or not is_ahead(resource, slot[0], outbox.now())
        or await repository.collides(session, resource.id, *slot)
    ):
        raise NotBookable
    return slot


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


async def _wait_or_take(
    session: AsyncSession, resource: Any, starts_at: datetime, *, wait: bool
) -> bool:
    """Whether a place was free after all; if not, and there is room, the person waits."""
    if not wait or resource.waiting_places == 0:
        raise SlotFull(can_wait=resource.waiting_places > 0)
    # From here on nobody gives a place back unseen: they need the row that we hold.
    await repository.lock_slot(session, resource.id, starts_at)
    if await repository.take(session, resource.id, starts_at):
        return True
    if await repository.count_waiting(session, resource.id, starts_at) >= resource.waiting_places:
        raise WaitingListFull
    return False


async def _booked(
    session: AsyncSession,
    caller: Caller,
    resource: Any,
    starts_at: datetime,
    ends_at: datetime,
    *,
    is_placed: bool,
) -> BookingRead:
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
            "recorded_at": now,
        },
    )
    action = Action.hold if is_placed else Action.wait
    await steps.write_history(session, booking_id, 1, action, None, state, caller=caller)
    kind, due_at = (steps.HOLD, until) if is_placed else (steps.WAIT, starts_at)
    await set_timer(session, kind, booking_id, due_at)
    return await get(session, caller, booking_id)


async def _locked(session: AsyncSession, booking_id: UUID) -> Any:
    row = await repository.find(session, booking_id, lock=True)
    if row is None:
        raise BookingNotFound
    return row


async def _own(session: AsyncSession, caller: Caller, booking_id: UUID) -> Any:
    row = await _locked(session, booking_id)
    _ensure_own(caller, row)
    return row


def _ensure_own(caller: Caller, row: Any) -> None:
    if row.applicant_id != caller.account_id:
        raise WrongPerson


def _ensure_manager(caller: Caller, row: Any) -> None:
    if not caller.has("facility-manager"):
        raise WrongRole
    caller.ensure_covers(row.division_code)


async def _visible(session: AsyncSession, caller: Caller, booking_id: UUID) -> Any:
    row = await repository.find(session, booking_id)
    if row is None:
        raise BookingNotFound
    if caller.is_resident:
        _ensure_own(caller, row)
    elif not caller.has(*STAFF, "auditor"):
        raise WrongRole
    elif not caller.covers(row.division_code):
        raise WrongDivision
    return row
