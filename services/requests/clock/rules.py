"""The working-day calendar as pure arithmetic. Day 0 is never counted.

Source: 行政许可法 art. 82 (working days, without statutory holidays), 民法典 art. 201 and 203.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts.values import TimeUnit

LOCAL = ZoneInfo("Asia/Shanghai")
_DAY = timedelta(days=1)
_SATURDAY = 5


class CalendarMissing(LookupError):
    """No calendar has been recorded for a year: the operator's error, never a guessed date."""

    def __init__(self, year: int) -> None:
        super().__init__(f"no working-day calendar for {year}")
        self.year = year


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Known years, and the days that break the weekly pattern: day → is it worked."""

    years: frozenset[int] = frozenset()
    exceptions: Mapping[date, bool] = field(default_factory=dict)
    #: Years whose holidays are expected but not yet announced.
    provisional_years: frozenset[int] = frozenset()

    def is_working(self, day: date) -> bool:
        """Whether a day is worked.

        Raises:
            CalendarMissing: its year is not recorded.
        """
        if day.year not in self.years:
            raise CalendarMissing(day.year)
        return self.exceptions.get(day, day.weekday() < _SATURDAY)

    def at_or_after(self, day: date) -> date:
        """The first working day that is not before `day`."""
        while not self.is_working(day):
            day += _DAY
        return day

    def add(self, day: date, count: int, unit: TimeUnit) -> date:
        """The last day of a limit of `count` days that starts after `day`.

        A limit in calendar days that ends on a day off ends on the next working day.
        """
        if unit is TimeUnit.calendar_days:
            return self.at_or_after(day + count * _DAY)
        while count > 0:
            day += _DAY
            if self.is_working(day):
                count -= 1
        return day

    def count_between(self, first: date, last: date) -> int:
        """Working days after `first` up to and including `last`."""
        days = (last - first).days
        return sum(self.is_working(first + step * _DAY) for step in range(1, days + 1))

    def days_between(self, first: date, last: date, unit: TimeUnit) -> int:
        """Days of a limit after `first` up to and including `last`; negative when it lies before.

        Raises:
            CalendarMissing: a year of it is not recorded.
        """
        if unit is TimeUnit.calendar_days:
            return (last - first).days
        if last < first:
            return -self.count_between(last, first)
        return self.count_between(first, last)


def changed_days(
    old: Mapping[date, bool] | None, new: Mapping[date, bool], year: int, *, is_national: bool
) -> tuple[date, date] | None:
    """The first and the last day of a year that is worked otherwise than before, or None.

    `old` and `new` hold the days that break the pattern: of the country the weekly one, of a
    division that of what lies above it. A national year that was not known changes whole.
    """
    if old is None and is_national:
        return date(year, 1, 1), date(year, 12, 31)

    def worked(days: Mapping[date, bool], day: date) -> bool | None:
        return days.get(day, day.weekday() < _SATURDAY if is_national else None)

    before = old or {}
    changed = [day for day in {*before, *new} if worked(before, day) != worked(new, day)]
    return (min(changed), max(changed)) if changed else None


def received_on(calendar: WorkingCalendar, moment: datetime, closes_at: time) -> date:
    """Day 0 of a submission: today in office hours, else the next working day.

    `moment` is any aware time; the office keeps Asia/Shanghai.
    """
    local = moment.astimezone(LOCAL)
    today = local.date()
    if local.time() >= closes_at:
        today += _DAY
    return calendar.at_or_after(today)


def end_of_day(day: date) -> datetime:
    """The first moment after a day, local time: when its limit has passed."""
    return datetime.combine(day + _DAY, time(), LOCAL)
