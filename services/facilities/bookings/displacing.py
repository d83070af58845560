"""When the hours of a place change: bookings outside them are taken back, and their residents told.

The place is freed at once. Who had one may choose another time before others (`rebooking`); what
nobody knows (hours or a calendar that is not recorded) takes nothing back.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.facilities import BookingDisplaced
from servicekit import outbox
from servicekit.timers import TimerHandler, cancel_timers, set_timer
from services.facilities.bookings import repository, resources, slots, steps
from services.facilities.bookings.records import facts_of
from services.facilities.bookings.rules import Action, is_within, local_day
from services.facilities.facilities import service as facilities
from services.facilities.hours.changed import PLACE_CHANGED
from services.facilities.hours.timetable import Because, Timetable
from services.facilities.models import BookingState, FacilityState

#: How long after its beginning, or after its resident was told, a lost booking may be moved. Ours.
REBOOK_DAYS = timedelta(days=14)
#: Of one place in one transaction; the rest follows at once.
MOST_AT_ONCE = 100
_NOT_OPEN = {FacilityState.repair: "场所停用维修", FacilityState.closed: "场所停用"}


async def check_place(session: AsyncSession, facility_id: UUID) -> None:
    """Take back the coming bookings of a place that its hours do not hold any longer.

    Concurrency: locks in the order of `steps`; who was taking a place is waited for, and who takes
    one afterwards sees the new hours.
    """
    found = await slots.lock_resources(session, facility_id)
    now = outbox.now()
    reasons = await _reasons(
        session, facility_id, found, await repository.list_coming(session, facility_id, now)
    )
    some = dict(list(reasons.items())[:MOST_AT_ONCE])
    placed = await repository.lock_in(session, list(some), steps.PLACED)
    await slots.lock_slots(session, {(row.resource_id, row.starts_at) for row in placed})
    waiting = await repository.lock_in(session, list(some), {BookingState.waiting})
    for row in (*placed, *waiting):
        await _displace(session, row, reasons[row.id], now)
    # Also when somebody was faster with one of them: it is looked at as it then is.
    if len(placed) + len(waiting) < len(reasons):
        await set_timer(session, PLACE_CHANGED, facility_id, now)


async def _displace(session: AsyncSession, row: Any, reason: str, now: datetime) -> None:
    had_place = row.state in steps.PLACED
    until = max(now, row.starts_at) + REBOOK_DAYS if had_place else None
    changed = await steps.step(
        session,
        row,
        Action.displace,
        note=reason,
        also={"displaced_because": reason, "rebook_until": until},
    )
    await cancel_timers(session, row.id, *steps.TIMERS)
    if had_place:
        await slots.give_back(session, row.resource_id, row.starts_at)
    event = BookingDisplaced(
        **facts_of(changed),
        reason=reason,
        had_place=had_place,
        rebook_until=until,
        rebook_until_day=local_day(until) if until else None,
    )
    await outbox.record(session, event)


async def _reasons(
    session: AsyncSession, facility_id: UUID, found: Mapping[UUID, Any], coming: Sequence[Any]
) -> dict[UUID, str]:
    """Booking → why it cannot be kept, for those that cannot."""
    if not coming:
        return {}
    place = await facilities.find_row(session, facility_id)
    closed = _NOT_OPEN.get(place.state, "场所尚未启用")
    if note := await facilities.why_not_open(session, place):
        closed = f"{closed}：{note}"
    table = await resources.timetable_of(session, facility_id, local_day(coming[0].starts_at))
    reasons = {}
    for row in coming:
        resource = found[row.resource_id]
        if place.state != FacilityState.open:
            reasons[row.id] = closed
        elif not resource.is_staffed:
            reasons[row.id] = "窗口停办"
        elif (reason := _outside(resource, table, row)) is not None:
            reasons[row.id] = reason
    return reasons


def _outside(resource: Any, table: Timetable | None, row: Any) -> str | None:
    day = resources.hours_on(resource, table, local_day(row.starts_at))
    if day.hours is None or is_within(day.hours, row.starts_at, row.ends_at):
        return None
    if day.because in (Because.exception, Because.holiday) and day.note:
        return day.note
    return "开放时间调整"


TIMERS: dict[str, TimerHandler] = {PLACE_CHANGED: check_place}
