"""What becomes of a booking: confirmed, given back, used; and the rules it goes by."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.facilities import BookingAttended, BookingCancelled
from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid
from servicekit.timers import cancel_timers
from services.facilities.bookings import access, resources, steps
from services.facilities.bookings.records import facts_of, read_of
from services.facilities.bookings.rules import Action, local_day
from services.facilities.bookings.schemas import (
    BookingEntry,
    BookingRead,
    ResourceRead,
    ResourceRules,
)
from services.facilities.models import BookingState

#: How long before its beginning somebody may be checked in.
EARLY = timedelta(hours=1)


class HoldOver(Conflict):
    code, title = "hold-over", "占位已过期，请重新预约"


class TooLateToCancel(Conflict):
    code, title = "too-late-to-cancel", "离开始时间太近，不能取消；请联系场所"


class ReasonMissing(Invalid):
    code, title = "reason-missing", "请写明取消的原因"


class NotThatDay(Conflict):
    code, title = "not-that-day", "不在预约的时间，不能签到"


async def confirm(session: AsyncSession, caller: Caller, booking_id: UUID) -> BookingRead:
    """Confirm a held place; a second time changes nothing.

    Raises:
        BookingNotFound: there is none.
        WrongPerson: it is somebody else's.
        HoldOver: the place is not kept any longer.
        BookingActionImpossible: not in its present state.
    """
    row = await access.own(session, caller, booking_id)
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
    row = await access.locked(session, booking_id)
    if caller.is_resident:
        access.ensure_own(caller, row)
    else:
        access.ensure_manager(caller, row)
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
    row = await access.locked(session, booking_id)
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
