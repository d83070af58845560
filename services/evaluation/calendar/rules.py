"""The working-day calendar as pure arithmetic. Day 0 is never counted.

Source: 行政许可法 art. 82 (working days, without statutory holidays).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Shanghai")
_DAY = timedelta(days=1)
_SATURDAY = 5


class CalendarMissing(LookupError):
    """No calendar has been recorded for a year: the operator's task, never a guessed date."""

    def __init__(self, year: int) -> None:
        super().__init__(f"no working-day calendar for {year}")
        self.year = year


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Known years, and the days that break the weekly pattern: day → is it worked."""

    years: frozenset[int] = frozenset()
    exceptions: Mapping[date, bool] = field(default_factory=dict)

    def is_working(self, day: date) -> bool:
        """Whether a day is worked.

        Raises:
            CalendarMissing: its year is not recorded.
        """
        if day.year not in self.years:
            raise CalendarMissing(day.year)
        return self.exceptions.get(day, day.weekday() < _SATURDAY)

    def add(self, day: date, count: int) -> date:
        """The last day of a limit of `count` working days that starts after `day`.

        Raises:
            CalendarMissing: the limit reaches into a year that is not recorded.
        """
        while count > 0:
            day += _DAY
            if self.is_working(day):
                count -= 1
        return day

    def between(self, day: date, last: date) -> int:
        """Working days after `day` up to and with `last`; 0 when it is past.

        Raises:
            CalendarMissing: a year in between is not recorded.
        """
        count = 0
        while day < last:
            day += _DAY
            count += self.is_working(day)
        return count


def end_of(day: date) -> datetime:
    """The moment a day is over in China."""
    return datetime.combine(day + _DAY, time.min, LOCAL)


def local_day(moment: datetime) -> date:
    """The day it is in China at a moment."""
    return moment.astimezone(LOCAL).date()
