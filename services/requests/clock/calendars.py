"""The country's working days and those of every division that has days of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from contracts.values import DivisionLevel, division_at, division_level
from services.requests.clock.rules import WorkingCalendar

_LEVELS = list(DivisionLevel)


@dataclass(frozen=True, slots=True)
class Calendars:
    """One calendar per division: the nearest division that names a day decides it."""

    national: WorkingCalendar = field(default_factory=WorkingCalendar)
    #: Division → day → is it worked.
    local: Mapping[str, Mapping[date, bool]] = field(default_factory=dict)
    _made: dict[tuple[str, ...], WorkingCalendar] = field(
        default_factory=dict, compare=False, repr=False
    )

    def of(self, division_code: str) -> WorkingCalendar:
        """The working days of a division: the country's, changed from the province downwards."""
        chain = tuple(code for code in chain_of(division_code) if code in self.local)
        if not chain:
            return self.national
        if chain not in self._made:
            exceptions = dict(self.national.exceptions)
            for code in chain:
                exceptions |= self.local[code]
            self._made[chain] = WorkingCalendar(
                self.national.years, exceptions, self.national.provisional_years
            )
        return self._made[chain]


def chain_of(division_code: str) -> list[str]:
    """A division and all above it, from the province down."""
    depth = _LEVELS.index(division_level(division_code))
    return [division_at(division_code, level) for level in _LEVELS[: depth + 1]]
