"""The local copy of working-day calendars: of the country, and what divisions change in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from contracts.requests import CalendarYearRecorded
from contracts.values import SIGNIFICANT_DIGITS, division_prefix
from servicekit.copies import keep_newest
from services.facilities.hours.changed import note_calendar
from services.facilities.hours.timetable import WorkingDays
from services.facilities.models import Base

_YEAR = Base.metadata.tables["calendar_year"]
#: A search for the next change that starts in December ends in the year after the next.
_YEARS_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Calendars:
    """The calendars of a few years; a division's own changes days of the ones above it."""

    #: Significant digits of a division, empty for the country → its days.
    days: Mapping[str, Mapping[date, tuple[bool, str]]] = field(default_factory=dict)
    #: Years of the country that are known.
    years: frozenset[int] = frozenset()

    def of(self, division_code: str) -> WorkingDays:
        """The working days where a division lies."""
        merged: dict[date, tuple[bool, str]] = {}
        for digits in (0, *SIGNIFICANT_DIGITS.values()):
            merged |= self.days.get(division_code[:digits], {})
        return WorkingDays(merged, self.years)


async def load(session: AsyncSession, first: date) -> Calendars:
    """The calendars that matter from a day on."""
    statement = select(_YEAR).where(_YEAR.c.year.between(first.year, first.year + _YEARS_AHEAD))
    rows = (await session.execute(statement)).all()
    return calendars_of(rows)


def calendars_of(rows: Sequence[Any]) -> Calendars:
    """Put calendars together."""
    days: dict[str, dict[date, tuple[bool, str]]] = {}
    for row in rows:
        own = days.setdefault(division_prefix(row.division_code) if row.division_code else "", {})
        own |= {
            date.fromisoformat(day["day"]): (day["is_working"], day["label"]) for day in row.days
        }
    return Calendars(days, frozenset(row.year for row in rows if row.division_code is None))


async def keep_year(session: AsyncSession, event: CalendarYearRecorded, _: Envelope) -> None:
    """Keep the newest record of a year."""
    values = event.model_dump(mode="json", include={"calendar_key", "division_code", "days"}) | {
        "year": event.year,
        "provisional": event.provisional,
        "revision": event.revision,
        "recorded_at": event.recorded_at,
    }
    if await keep_newest(session, _YEAR, values, by=("revision",)):
        await note_calendar(session, event.division_code)
