"""Opening hours as pure arithmetic on local time; the clock comes in as an argument.

A day's hours are intervals in minutes after local midnight; the gaps between them are the breaks.
An interval never passes midnight: a place open all night has one that ends at 24:00 and one that
starts at 00:00, and the two are read as one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

#: One time zone for the whole country; no daylight saving since 1991.
LOCAL = ZoneInfo("Asia/Shanghai")
MINUTES_PER_DAY = 24 * 60
#: 开放服务时间一般不少于每天 8 小时. Source: 国办发〔2021〕56号, 运政办发〔2023〕14号.
LEAST_DAILY_MINUTES = 8 * 60
#: How far ahead a change is looked for: a dated closure may last most of a year.
HORIZON_DAYS = 370
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = timedelta(days=1)


class Interval(NamedTuple):
    """Minutes after local midnight: opens in [0, 1440), closes in (0, 1440]."""

    opens: int
    closes: int


#: Intervals of one day in order.
Day = tuple[Interval, ...]
#: Seven days from Monday.
Week = tuple[Day, ...]


class IntervalFault(StrEnum):
    """What may be wrong with an interval among those of its day."""

    ends_before_it_starts = "ends-before-it-starts"
    overlaps = "overlaps"


@dataclass(frozen=True, slots=True)
class FaultyInterval:
    """The place of a faulty interval in the list it came in."""

    index: int
    fault: IntervalFault


def faults(day: Sequence[Interval]) -> list[FaultyInterval]:
    """Everything wrong with one day's intervals, in whatever order they were written."""
    found = [
        FaultyInterval(index, IntervalFault.ends_before_it_starts)
        for index, interval in enumerate(day)
        if interval.closes <= interval.opens
    ]
    bad = {faulty.index for faulty in found}
    last_end = -1
    for index, interval in sorted(enumerate(day), key=lambda entry: entry[1]):
        if index in bad:
            continue
        if interval.opens < last_end:
            found.append(FaultyInterval(index, IntervalFault.overlaps))
        last_end = max(last_end, interval.closes)
    return found


def open_minutes(day: Day) -> int:
    """How long a day is open, breaks not counted."""
    return sum(interval.closes - interval.opens for interval in day)


def short_days(week: Week) -> dict[str, int]:
    """Weekday → minutes, for every day that is open for less than eight hours."""
    minutes = {weekday: open_minutes(day) for weekday, day in zip(WEEKDAYS, week, strict=True)}
    return {weekday: count for weekday, count in minutes.items() if count < LEAST_DAILY_MINUTES}


#: The hours of a day, empty when it is a day off; None when nobody can know them yet.
HoursOn = Callable[[date], Day | None]


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a place is open, and until when that stays so; None: for good, or unknown.

    `is_open` is None when the day's hours cannot be known yet.
    """

    is_open: bool | None
    next_change_at: datetime | None
    today: Day


def opening_at(week: Week, exceptions: Mapping[date, Day], moment: datetime) -> Opening:
    """Say whether a place is open at a moment by its week and the days that break it."""
    return opening_by(lambda day: exceptions.get(day, week[day.weekday()]), moment)


def opening_by(hours_on: HoursOn, moment: datetime) -> Opening:
    """Say whether a place is open at a moment, and when that changes next.

    `moment` is any aware time; the answer is in local time. Changes further away than
    `HORIZON_DAYS`, or behind a day whose hours nobody knows, are not looked for.
    """
    local = moment.astimezone(LOCAL)
    today = local.date()
    hours = hours_on(today)
    if hours is None:
        return Opening(None, None, ())
    for starts_at, ends_at in _spans(hours_on, today):
        if ends_at is not None and ends_at <= local:
            continue
        if starts_at <= local:
            return Opening(True, ends_at, hours)
        return Opening(False, starts_at, hours)
    return Opening(False, None, hours)


def _spans(hours_on: HoursOn, first: date) -> Iterator[tuple[datetime, datetime | None]]:
    """Times open from a day on, those that meet at midnight joined; None: open past the horizon."""
    current: tuple[datetime, datetime] | None = None
    for ahead in range(HORIZON_DAYS):
        day = first + ahead * _DAY
        hours = hours_on(day)
        if hours is None:
            break
        for interval in hours:
            starts_at, ends_at = _local(day, interval.opens), _local(day, interval.closes)
            if current is not None and starts_at <= current[1]:
                current = (current[0], max(current[1], ends_at))
                continue
            if current is not None:
                yield current
            current = (starts_at, ends_at)
    else:
        day = first + HORIZON_DAYS * _DAY
    if current is not None:
        horizon = _local(day, 0)
        yield (current[0], None if current[1] >= horizon else current[1])


def _local(day: date, minutes: int) -> datetime:
    if minutes == MINUTES_PER_DAY:
        return datetime.combine(day + _DAY, time(), LOCAL)
    return datetime.combine(day, time(minutes // 60, minutes % 60), LOCAL)
