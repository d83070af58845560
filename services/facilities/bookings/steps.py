"""The one place where a booking goes from state to state, with places, timers and events.

Locks are taken in one order: the person, the resource, a booking that holds a place, its slot, a
booking that waits for it. So two steps never wait for each other.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.facilities import BookingConfirmed, BookingExpired, BookingMovedUp
from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict
from servicekit.timers import cancel_timers, set_timer
from services.facilities.bookings import repository, slots
from services.facilities.bookings.records import confirm_by, facts_of
from services.facilities.bookings.resources import takes_bookings
from services.facilities.bookings.rules import Action, next_state
from services.facilities.metrics import BOOKING_STEPS
from services.facilities.models import BookingState

HOLD, WAIT, REMINDER, END = "booking-hold", "booking-wait", "booking-reminder", "booking-end"
TIMERS = (HOLD, WAIT, REMINDER, END)
#: States in which a booking has a place of its slot.
PLACED = frozenset({BookingState.held, BookingState.confirmed})


class BookingActionImpossible(Conflict):
    code, title = "booking-action-impossible", "预约目前的状态不能这样操作"


async def step(
    session: AsyncSession,
    row: Any,
    action: Action,
    *,
    caller: Caller | None = None,
    note: str | None = None,
    also: Mapping[str, Any] | None = None,
) -> Any:
    """Take a locked booking a step further, with other columns; returns its row as it then is.

    Raises:
        BookingActionImpossible: not in its present state.
    """
    state = next_state(BookingState(row.state), action)
    if state is None:
        raise BookingActionImpossible(state=row.state)
    now = outbox.now()
    version = row.version + 1
    values = {"state": state, "version": version, "expires_at": None, "recorded_at": now}
    await repository.change(session, row.id, values | dict(also or {}))
    await write_history(
        session, row.id, version, action, row.state, state, caller=caller, note=note
    )
    changed = await repository.find(session, row.id)
    assert changed is not None
    return changed


async def write_history(
    session: AsyncSession,
    booking_id: UUID,
    version: int,
    action: Action,
    from_state: str | None,
    to_state: str,
    *,
    caller: Caller | None = None,
    note: str | None = None,
) -> None:
    """Write down what happened to a booking and by whom; a resident's name is not kept."""
    is_staff = caller is not None and not caller.is_resident
    await repository.append_history(
        session,
        {
            "booking_id": booking_id,
            "version": version,
            "action": action,
            "from_state": from_state,
            "to_state": to_state,
            "actor_id": caller.account_id if caller else None,
            "actor_name": caller.name if caller and is_staff else None,
            "note": note,
            "happened_at": outbox.now(),
        },
    )
    BOOKING_STEPS.labels(action).inc()


async def confirm(session: AsyncSession, row: Any, caller: Caller) -> Any:
    """A held place is taken for good; the reminder and the end are set."""
    changed = await step(session, row, Action.confirm, caller=caller)
    await cancel_timers(session, row.id, HOLD)
    await expect(session, row)
    await outbox.record(session, BookingConfirmed(**facts_of(changed)))
    return changed


async def expect(session: AsyncSession, row: Any) -> None:
    """Set the reminder and the end of a booking that is confirmed."""
    remind_at = row.starts_at - timedelta(hours=row.reminder_hours)
    if row.reminder_hours and remind_at > outbox.now():
        await set_timer(session, REMINDER, row.id, remind_at)
    await set_timer(session, END, row.id, row.ends_at)


async def expire(session: AsyncSession, row: Any) -> None:
    """A place was not confirmed in time, or the time came while somebody waited."""
    was_waiting = row.state == BookingState.waiting
    changed = await step(session, row, Action.expire)
    await outbox.record(session, BookingExpired(**facts_of(changed), was_waiting=was_waiting))
    if not was_waiting:
        await free_place(session, row.resource_id, row.starts_at)


async def free_place(session: AsyncSession, resource_id: UUID, starts_at: datetime) -> None:
    """Give a place back and let who waits longest move up."""
    await slots.give_back(session, resource_id, starts_at)
    await move_up(session, resource_id, starts_at)


async def move_up(session: AsyncSession, resource_id: UUID, starts_at: datetime) -> None:
    """Give free places of a slot to those who wait, in their order; kept until confirmed."""
    resource = await slots.find_resource(session, resource_id)
    now = outbox.now()
    if resource is None or starts_at <= now or not takes_bookings(resource):
        return
    while await slots.take(session, resource_id, starts_at):
        waiting = await repository.first_waiting(session, resource_id, starts_at)
        if waiting is None:
            await slots.give_back(session, resource_id, starts_at)
            return
        until = min(now + timedelta(minutes=resource.hold_minutes), starts_at)
        changed = await step(session, waiting, Action.move_up, also={"expires_at": until})
        await cancel_timers(session, waiting.id, WAIT)
        await set_timer(session, HOLD, waiting.id, until)
        await outbox.record(session, BookingMovedUp(**facts_of(changed), **confirm_by(until)))
