"""What the clock does to bookings: holds end, waiting ends, reminders, and no-shows."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.facilities import BookingMissed, BookingReminderDue
from servicekit import outbox
from servicekit.timers import TimerHandler
from services.facilities.bookings import repository, steps
from services.facilities.bookings.records import facts_of
from services.facilities.bookings.rules import Action, blocked_until
from services.facilities.models import BookingState


async def hold_over(session: AsyncSession, booking_id: UUID) -> None:
    """A held place was not confirmed in time: who waits longest moves up."""
    row = await repository.find(session, booking_id, lock=True)
    if row is not None and row.state == BookingState.held:
        await steps.expire(session, row)


async def wait_over(session: AsyncSession, booking_id: UUID) -> None:
    """The slot begins: nobody needs to wait for it any longer."""
    row = await repository.find(session, booking_id, lock=True)
    if row is not None and row.state == BookingState.waiting:
        await steps.expire(session, row)


async def remind(session: AsyncSession, booking_id: UUID) -> None:
    """The time of a confirmed booking comes near."""
    row = await repository.find(session, booking_id, lock=True)
    if row is not None and row.state == BookingState.confirmed:
        await outbox.record(session, BookingReminderDue(**facts_of(row)))


async def ended(session: AsyncSession, booking_id: UUID) -> None:
    """The slot is over and nobody was checked in."""
    row = await repository.find(session, booking_id, lock=True)
    if row is None or row.state != BookingState.confirmed:
        return
    changed = await steps.step(session, row, Action.miss)
    days = await repository.missed_days(
        session, row.applicant_id, row.facility_id, row.no_show_limit
    )
    until = blocked_until(days, row.no_show_limit, row.block_days)
    await outbox.record(session, BookingMissed(**facts_of(changed), blocked_until=until))


TIMERS: dict[str, TimerHandler] = {
    steps.HOLD: hold_over,
    steps.WAIT: wait_over,
    steps.REMINDER: remind,
    steps.END: ended,
}
