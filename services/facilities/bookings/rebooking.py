"""After a change of hours: another time before others, or the same after all."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.facilities import BookingRestored
from contracts.values import SIGNIFICANT_DIGITS, DivisionLevel
from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid
from servicekit.paging import Page, cut, encode_cursor
from services.facilities.bookings import (
    access,
    reading,
    repository,
    resources,
    slots,
    steps,
    taking,
)
from services.facilities.bookings.records import facts_of, read_of
from services.facilities.bookings.rules import Action
from services.facilities.bookings.schemas import (
    BookingEntry,
    BookingRead,
    DisplacedBooking,
    Rebooking,
)
from services.facilities.facilities import service as facilities
from services.facilities.models import BookingState

_COUNTY_DIGITS = SIGNIFICANT_DIGITS[DivisionLevel.county]


class NotDisplaced(Conflict):
    code, title = "not-displaced", "这个预约没有因场所时间调整而失去名额"


class AlreadyRebooked(Conflict):
    code, title = "already-rebooked", "这个预约已经改约"


class RebookingOver(Conflict):
    code, title = "rebooking-over", "优先改约的期限已过，请重新预约"


class TooFarAway(Invalid):
    code, title = "too-far-away", "只能改约到同一县（市、区）的场所"


class PersonBusy(Conflict):
    code, title = "person-busy", "本人在这个时间已另有预约"


async def rebook(
    session: AsyncSession, caller: Caller, booking_id: UUID, body: Rebooking
) -> BookingRead:
    """Another time in place of one that was lost: confirmed at once, or first in the waiting list.

    The limit of open bookings and no-shows do not count.

    Raises:
        BookingNotFound, ResourceNotFound: there is none.
        WrongPerson: it is somebody else's.
        NotDisplaced, AlreadyRebooked, RebookingOver: there is no right to it, or no longer.
        TooFarAway: the place lies in another county.
        SlotUnknown, NotBookable: no such slot, or not now.
        AlreadyBooked: the person has something else at that time.
        SlotFull: no place, and waiting was not asked for.
    """
    await repository.lock_person(session, caller.account_id)
    old = await access.visible(session, caller, booking_id)
    resource = await slots.find_resource(session, body.resource_id or old.resource_id, share=True)
    if resource is None:
        raise resources.ResourceNotFound
    if old.rebook_until is None:
        raise NotDisplaced
    if old.rebook_until < outbox.now():
        raise RebookingOver
    if await repository.is_replaced(session, old.id):
        raise AlreadyRebooked
    if resource.division_code[:_COUNTY_DIGITS] != old.division_code[:_COUNTY_DIGITS]:
        raise TooFarAway
    starts_at, ends_at = await taking.slot_at(session, resource, body.starts_at)
    if await repository.overlaps(session, caller.account_id, starts_at, ends_at):
        raise taking.AlreadyBooked
    is_placed = await taking.place_in(session, resource, starts_at, ends_at)
    if not is_placed:
        is_placed = await taking.wait_or_take(
            session, resource, starts_at, wait=body.wait, comes_first=True
        )
    new_id = await taking.write(
        session, caller, resource, starts_at, ends_at, is_placed=is_placed, replaces_id=old.id
    )
    if is_placed:
        return read_of(await steps.confirm(session, await access.locked(session, new_id), caller))
    return await reading.get(session, caller, new_id)


async def restore(
    session: AsyncSession, caller: Caller, booking_id: UUID, note: str | None
) -> BookingEntry:
    """Serve a displaced booking after all, whatever the hours are; a second time changes nothing.

    Raises:
        BookingNotFound: there is none.
        WrongRole, WrongDivision: not by who manages the place.
        NotDisplaced, AlreadyRebooked: there is nothing to restore.
        NotBookable: its time has begun.
        PersonBusy: its resident has something else at that time.
        SlotFull: somebody else has the place by now.
    """
    seen = await access.visible(session, caller, booking_id)
    access.ensure_manager(caller, seen)
    await repository.lock_person(session, seen.applicant_id)
    await slots.find_resource(session, seen.resource_id, share=True)
    row = await access.locked(session, booking_id)
    if row.is_kept and row.state == BookingState.confirmed:
        return BookingEntry.model_validate(dict(row._mapping))
    if row.rebook_until is None:
        raise NotDisplaced
    if row.starts_at <= outbox.now():
        raise taking.NotBookable
    if await repository.is_replaced(session, row.id):
        raise AlreadyRebooked
    if await repository.overlaps(session, row.applicant_id, row.starts_at, row.ends_at):
        raise PersonBusy
    if not await slots.take(session, row.resource_id, row.starts_at):
        raise taking.SlotFull
    changed = await steps.step(
        session,
        row,
        Action.restore,
        caller=caller,
        note=note,
        also={"displaced_because": None, "rebook_until": None, "is_kept": True},
    )
    await steps.expect(session, changed)
    await outbox.record(session, BookingRestored(**facts_of(changed), advice=note))
    return BookingEntry.model_validate(dict(changed._mapping))


async def list_displaced(
    session: AsyncSession,
    caller: Caller,
    facility_id: UUID,
    first: datetime,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Page[DisplacedBooking]:
    """Bookings that the hours of a place displaced, from a moment on, and what became of them.

    Raises:
        FacilityNotFound: there is no such place.
        WrongDivision: it lies outside the caller's subtree.
    """
    caller.ensure_covers((await facilities.find_row(session, facility_id)).division_code)
    rows = await repository.list_displaced(
        session, facility_id, first, after=after, limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    items = [DisplacedBooking.model_validate(dict(row._mapping)) for row in page]
    last = items[-1] if more else None
    return Page(
        items=items, next=encode_cursor(last.starts_at.isoformat(), last.id) if last else None
    )
