"""How early a case is warned of and how fast an order must be answered: set by each division."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from services.requests.clock.calendars import chain_of
from services.requests.clock.rules import CalendarMissing, WorkingCalendar
from services.requests.models import Light

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ClockPolicy:
    """Thresholds of lights and orders. Provisional: local practice, no common standard."""

    #: 黄灯 when this many working days are left, the last one included.
    yellow_days: int = 1
    #: 督办: working days for a reply, by level of escalation.
    reply_days: tuple[int, ...] = (2, 1, 1)


@dataclass(frozen=True, slots=True)
class Policies:
    """The policy of every division: its own, or that of the nearest one above."""

    own: Mapping[str, ClockPolicy] = field(default_factory=dict)

    def of(self, division_code: str) -> ClockPolicy:
        """The policy that holds in a division."""
        for code in reversed(chain_of(division_code)):
            if code in self.own:
                return self.own[code]
        return ClockPolicy()


def yellow_from(calendar: WorkingCalendar, policy: ClockPolicy, due_on: date) -> date:
    """The working day on which the light turns yellow."""
    day, left = due_on, 0
    try:
        left = int(calendar.is_working(due_on))
        while left + (is_working := calendar.is_working(day - _DAY)) <= policy.yellow_days:
            day, left = day - _DAY, left + is_working
        return min(calendar.at_or_after(day), due_on)
    except CalendarMissing:
        return day


def light_of(
    calendar: WorkingCalendar, policy: ClockPolicy, due_on: date | None, today: date
) -> Light:
    """绿灯、黄灯、红灯 of an open case whose limit runs; green while there is none."""
    if due_on is None:
        return Light.green
    if today > due_on:
        return Light.red
    return Light.yellow if today >= yellow_from(calendar, policy, due_on) else Light.green
