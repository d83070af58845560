"""What a booking may become, which slots a day has, and who may book; pure."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from services.facilities.hours.rules import LOCAL, MINUTES_PER_DAY, Day
from services.facilities.models import BookingState


class Action(StrEnum):
    """What happens to a booking."""

    hold = "hold"  # 占位
    wait = "wait"  # 候补
    move_up = "move-up"  # 候补到位
    confirm = "confirm"  # 确认
    cancel = "cancel"  # 取消
    expire = "expire"  # 失效
    check_in = "check-in"  # 签到
    miss = "miss"  # 爽约
    displace = "displace"  # 因时间调整取消
    restore = "restore"  # 恢复


#: (state, action) → state; what is not here cannot be done. Somebody who was there after all is
#: checked in although the clock has written them down as missing.
TRANSITIONS: dict[tuple[BookingState, Action], BookingState] = {
    (BookingState.held, Action.confirm): BookingState.confirmed,
    (BookingState.held, Action.cancel): BookingState.cancelled,
    (BookingState.held, Action.expire): BookingState.expired,
    (BookingState.waiting, Action.move_up): BookingState.held,
    (BookingState.waiting, Action.cancel): BookingState.cancelled,
    (BookingState.waiting, Action.expire): BookingState.expired,
    (BookingState.confirmed, Action.cancel): BookingState.cancelled,
    (BookingState.confirmed, Action.check_in): BookingState.attended,
    (BookingState.confirmed, Action.miss): BookingState.missed,
    (BookingState.missed, Action.check_in): BookingState.attended,
    (BookingState.held, Action.displace): BookingState.cancelled,
    (BookingState.waiting, Action.displace): BookingState.cancelled,
    (BookingState.confirmed, Action.displace): BookingState.cancelled,
    (BookingState.cancelled, Action.restore): BookingState.confirmed,  # one that was displaced
}


def next_state(state: BookingState, action: Action) -> BookingState | None:
    """The state after an action, or None where it cannot be done."""
    return TRANSITIONS.get((state, action))


def slots_of(day: date, hours: Day, minutes: int) -> Iterator[tuple[datetime, datetime]]:
    """Beginning and end of the slots of a day; what remains of an interval is no slot."""
    for opens, closes in hours:
        for start in range(opens, closes - minutes + 1, minutes):
            yield _at(day, start), _at(day, start + minutes)


def common_hours(place: Day, counter: Day) -> Day:
    """The time in which both the place and its counter are open."""
    shared = [
        type(one)(max(one.opens, other.opens), min(one.closes, other.closes))
        for one in place
        for other in counter
    ]
    return tuple(sorted(part for part in shared if part.opens < part.closes))


def is_within(hours: Day, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether a day's hours hold all of a slot, wherever today's slots begin."""
    begins = starts_at.astimezone(LOCAL)
    reached = begins.hour * 60 + begins.minute
    ends = reached + (ends_at - starts_at) // timedelta(minutes=1)
    for opens, closes in sorted(hours):
        if opens <= reached < closes:
            reached = closes
    return reached >= ends


def blocked_until(missed_on: Sequence[date], limit: int, block_days: int) -> date | None:
    """Until which day somebody who missed bookings takes no new one; None: nothing was reached.

    `limit` no-shows within `block_days` block for as many days after the last one.
    """
    ordered = sorted(missed_on, reverse=True)
    if len(ordered) < limit or (ordered[0] - ordered[limit - 1]).days > block_days:
        return None
    return ordered[0] + timedelta(days=block_days)


def clock(moment: datetime) -> str:
    """Local time as people write it: 08:30."""
    return f"{moment.astimezone(LOCAL):%H:%M}"


def end_clock(starts_at: datetime, ends_at: datetime) -> str:
    """The end of a slot: midnight is 24:00 of the day it began."""
    is_midnight = local_day(ends_at) > local_day(starts_at)
    return "24:00" if is_midnight else clock(ends_at)


def local_day(moment: datetime) -> date:
    """The day of local time."""
    return moment.astimezone(LOCAL).date()


def _at(day: date, minutes: int) -> datetime:
    if minutes == MINUTES_PER_DAY:
        return datetime.combine(day + timedelta(days=1), time(), LOCAL)
    return datetime.combine(day, time(minutes // 60, minutes % 60), LOCAL)
