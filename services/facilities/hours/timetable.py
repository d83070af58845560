"""What a place's hours are on a day: its exception, the calendar, the season, then the week.

Pure: the calendar and the clock come in as arguments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.facilities.hours.rules import Day, Opening, Week, opening_by

#: 调休: a weekend day that is worked has the hours of this weekday (Monday).
MAKE_UP_WEEKDAY = 0


class Because(StrEnum):
    """Why a day has the hours it has, or a place is not open at all."""

    weekly_hours = "weekly-hours"
    season = "season"
    holiday = "holiday"
    make_up_day = "make-up-day"
    exception = "exception"
    calendar_unknown = "calendar-unknown"
    not_in_operation = "not-in-operation"
    hours_unknown = "hours-unknown"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the working-day calendar changes in a place's hours; the default: nothing."""

    closed_on_holidays: bool = False
    #: A worked weekend day has a weekday's hours.
    works_make_up_days: bool = False

    @property
    def needs_calendar(self) -> bool:
        return self.closed_on_holidays or self.works_make_up_days


@dataclass(frozen=True, slots=True)
class Season:
    """A part of the year, both ends included; it may pass the year's end. (month, day)."""

    name: str
    first: tuple[int, int]
    last: tuple[int, int]
    week: Week

    def holds(self, day: date) -> bool:
        """Whether a day lies in the season."""
        today = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= today <= self.last
        return today >= self.first or today <= self.last


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The days that break the weekly pattern, and the years for which all of them are known."""

    #: Day → (is it worked, its name).
    days: Mapping[date, tuple[bool, str]] = field(default_factory=dict)
    years: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class HoursOfDay:
    """A day's hours with their reason; `hours` is None when the calendar is missing."""

    hours: Day | None
    because: Because
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Timetable:
    """Everything that decides when one place is open."""

    week: Week
    seasons: Sequence[Season] = ()
    exceptions: Mapping[date, tuple[Day, str]] = field(default_factory=dict)
    policy: Policy = Policy()
    calendar: WorkingDays = WorkingDays()
    #: Minutes before closing at which nobody new is taken.
    last_entry_minutes: int = 0

    def on(self, day: date) -> HoursOfDay:
        """The hours of a day and why."""
        special = self.exceptions.get(day)
        if special is not None:
            return HoursOfDay(special[0], Because.exception, special[1])
        season = next((season for season in self.seasons if season.holds(day)), None)
        week = season.week if season else self.week
        if self.policy.needs_calendar:
            if day.year not in self.calendar.years:
                return HoursOfDay(None, Because.calendar_unknown)
            is_worked, name = self.calendar.days.get(day, (None, None))
            if is_worked is False and self.policy.closed_on_holidays:
                return HoursOfDay((), Because.holiday, name)
            if is_worked and self.policy.works_make_up_days and day.weekday() >= 5:
                return HoursOfDay(week[MAKE_UP_WEEKDAY], Because.make_up_day, name)
        if season is not None:
            return HoursOfDay(week[day.weekday()], Because.season, season.name)
        return HoursOfDay(week[day.weekday()], Because.weekly_hours)

    def opening_at(self, moment: datetime) -> Opening:
        """Whether the place is open at a moment, and when that changes."""
        return opening_by(lambda day: self.on(day).hours, moment)

    def last_entry_at(self, opening: Opening) -> datetime | None:
        """Until when somebody new is taken in the present interval; None: not open, or no end."""
        if not opening.is_open or opening.next_change_at is None:
            return None
        return opening.next_change_at - timedelta(minutes=self.last_entry_minutes)


def overlapping(seasons: Sequence[Season]) -> list[tuple[str, str]]:
    """Pairs of seasons that share a day."""
    year = [date(2024, 1, 1) + timedelta(days=number) for number in range(366)]  # a leap year
    return [
        (one.name, other.name)
        for index, one in enumerate(seasons)
        for other in seasons[index + 1 :]
        if any(one.holds(day) and other.holds(day) for day in year)
    ]
