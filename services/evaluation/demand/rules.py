"""How what was asked for becomes a list: rare topics are told higher up, never by village. Pure."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from operator import attrgetter

from contracts.values import SIGNIFICANT_DIGITS, DivisionLevel, division_at, division_prefix
from services.evaluation.models import NeedKind

#: What a topic has at least and at most, as in SearchMissed.
MIN_TOPIC, MAX_TOPIC = 2, 40
#: From the village upwards; a list ends at the county.
_UPWARDS = (DivisionLevel.township, DivisionLevel.county)


@dataclass(frozen=True, slots=True)
class Need:
    """Something asked for in a place, with how it was asked for."""

    topic: str
    division_code: str
    searches: int = 0
    wishes: int = 0
    refusals: int = 0
    service_wishes: int = 0
    facility_wishes: int = 0

    @property
    def asked(self) -> int:
        return self.searches + self.wishes + self.refusals

    @property
    def kind(self) -> NeedKind | None:
        """What most wishes say is missing; None when nobody or both sides say so."""
        if self.service_wishes == self.facility_wishes:
            return None
        more_services = self.service_wishes > self.facility_wishes
        return NeedKind.service if more_services else NeedKind.facility

    def plus(self, other: "Need") -> "Need":
        """Both together, in the place of this one."""
        return replace(
            self,
            searches=self.searches + other.searches,
            wishes=self.wishes + other.wishes,
            refusals=self.refusals + other.refusals,
            service_wishes=self.service_wishes + other.service_wishes,
            facility_wishes=self.facility_wishes + other.facility_wishes,
        )


def fold(topic: str) -> str:
    """Width and case folded, without spaces: 老年 食堂 and 老年食堂 are one topic."""
    return "".join(unicodedata.normalize("NFKC", topic).casefold().split())


def month_of(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def listed_for(division_code: str) -> str:
    """The county whose list a place belongs to; what lies above counties stands for itself."""
    if len(division_prefix(division_code)) < SIGNIFICANT_DIGITS[DivisionLevel.county]:
        return division_code
    return division_at(division_code, DivisionLevel.county)


def due_month(today: date, listed_on_day: int) -> date:
    """The newest month whose list is due: the last one, from some day of the next one on."""
    this_month = month_of(today)
    last_month = month_of(this_month - timedelta(days=1))
    if today.day >= listed_on_day:
        return last_month
    return month_of(last_month - timedelta(days=1))


def gather(needs: Iterable[Need], *, minimum: int, most: int) -> list[Need]:
    """The list of a county: most asked for first.

    What fewer than `minimum` asked for in a village is told for the township, then for the county,
    and not at all when it stays below: few people can be told by what they asked.
    """
    left = _together(needs)
    listed: list[Need] = []
    for level in _UPWARDS:
        listed += [need for need in left if need.asked >= minimum]
        left = _together(
            replace(need, division_code=_at(need.division_code, level))
            for need in left
            if need.asked < minimum
        )
    listed = _together([*listed, *(need for need in left if need.asked >= minimum)])
    listed.sort(key=lambda need: (-need.asked, need.topic, need.division_code))
    return listed[:most]


def _at(division_code: str, level: DivisionLevel) -> str:
    if len(division_prefix(division_code)) <= SIGNIFICANT_DIGITS[level]:
        return division_code
    return division_at(division_code, level)


def _together(needs: Iterable[Need]) -> list[Need]:
    sums: dict[tuple[str, str], Need] = {}
    for need in sorted(needs, key=attrgetter("division_code", "topic")):
        key = (need.division_code, need.topic)
        sums[key] = sums[key].plus(need) if key in sums else need
    return list(sums.values())
