"""From sums to indicators, and against which base and target; pure.

Source of the formulas: 运政办发〔2023〕14号, 吉办发〔2016〕3号, 民发〔2022〕56号, 国办发〔2021〕56号.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from contracts.values import division_covers, division_prefix


@dataclass(frozen=True, slots=True)
class Formula:
    """Two measures, what the quotient is multiplied by, and the measure that counts gaps."""

    numerator: str
    denominator: str
    missing: str | None = None
    factor: float = 1.0


#: Formula id → how it is computed from the measures of a division.
FORMULAS: dict[str, Formula] = {
    "covered-villages": Formula("covered_villages", "villages"),
    "covered-urban-communities": Formula("covered_urban", "urban_communities"),
    "served-floor-area": Formula("served_area", "floor_area", "floor_area_unknown"),
    "centre-area-per-100-households": Formula(
        "centre_area", "households", "centre_area_unknown", 100
    ),
    "activity-area": Formula("activity_area", "measured_area", "activity_unknown"),
    "urban-communities-with-terminal": Formula("terminal_urban", "urban_communities"),
    "urban-workers-per-10000-residents": Formula(
        "workers", "worker_residents", "workers_unknown", 10_000
    ),
    "urban-organisations": Formula(
        "urban_organisations", "urban_organisations_counted", "urban_organisations_unknown"
    ),
    "village-organisations": Formula(
        "village_organisations", "village_organisations_counted", "village_organisations_unknown"
    ),
    "certified-urban-workers": Formula("certified", "certified_base", "certified_unknown"),
    "covered-resettlements": Formula(
        "covered_resettlements", "resettlements", "resettlement_unknown"
    ),
    "full-hours-centres": Formula("full_hours_centres", "timed_centres", "hours_unknown"),
    "communities-with-agent-window": Formula("agent_communities", "communities"),
    "villages-with-large-centre": Formula(
        "large_centre_villages", "villages", "large_centre_unknown"
    ),
    "villages-with-large-square": Formula(
        "large_square_villages", "villages", "large_square_unknown"
    ),
    "urban-communities-with-large-centre": Formula(
        "large_centre_urban", "urban_communities", "large_urban_unknown"
    ),
    "villages-with-cooperative": Formula("cooperative_villages", "villages"),
    "towns-with-cooperative": Formula("cooperative_townships", "townships"),
    "villages-with-deliberation-list": Formula(
        "deliberation_villages", "deliberation_counted", "deliberation_unknown"
    ),
    "communities-with-three-lists": Formula("listed_communities", "lists_counted", "lists_unknown"),
    "communities-with-security-committee": Formula(
        "secured_communities", "security_counted", "security_unknown"
    ),
    "villages-with-unified-forms": Formula("unified_villages", "forms_counted", "forms_unknown"),
    "communities-with-online-service": Formula(
        "online_communities", "online_counted", "online_unknown"
    ),
    "surveyed-communities": Formula("surveyed_communities", "communities"),
}


@dataclass(frozen=True, slots=True)
class Computed:
    """An indicator of a division: value = numerator ÷ denominator x factor."""

    numerator: float
    denominator: float
    #: None when there is nothing to divide by.
    value: float | None
    #: Communities left out because a figure is missing.
    missing: int


def compute(formula: Formula, sums: Mapping[str, float]) -> Computed:
    """Compute one indicator from the sums of a division."""
    numerator, denominator = sums[formula.numerator], sums[formula.denominator]
    value = numerator / denominator * formula.factor if denominator else None
    missing = int(sums[formula.missing]) if formula.missing else 0
    return Computed(numerator, denominator, value, missing)


class Mark(Protocol):
    """A base or target value; `region` None is the whole country."""

    @property
    def region(self) -> str | None: ...
    @property
    def year(self) -> int: ...
    @property
    def value(self) -> float: ...


M = TypeVar("M", bound=Mark)


def nearest(marks: Sequence[M], division_code: str | None) -> list[M]:
    """The marks of the nearest region around a division that has any, by year.

    Marks of different regions are never mixed: the national base of 2020 says nothing about a
    city whose own base is of 2022. `division_code` None is the whole country.
    """
    around = [
        mark
        for mark in marks
        if mark.region is None
        or (division_code is not None and division_covers(mark.region, division_code))
    ]
    closest = max((_closeness(mark.region) for mark in around), default=0)
    return sorted(
        (mark for mark in around if _closeness(mark.region) == closest), key=lambda mark: mark.year
    )


def _closeness(region: str | None) -> int:
    return 0 if region is None else len(division_prefix(region))


def target_for(targets: Sequence[M], division_code: str | None, year: int) -> M | None:
    """The target that counts in a year: the next one to be reached, else the last one."""
    ordered = nearest(targets, division_code)
    ahead = [mark for mark in ordered if mark.year >= year]
    if ahead:
        return ahead[0]
    return ordered[-1] if ordered else None


class Direction(StrEnum):
    """What reaches a target."""

    at_least = "at-least"  # 越高越好，目标是下限
    at_most = "at-most"  # 越低越好，目标是上限


def is_met(value: float | None, target: Mark | None, direction: Direction) -> bool | None:
    """Whether a target is reached; None when there is no value or no target."""
    if value is None or target is None:
        return None
    # A share that is written 0.8 and computed 0.8 must not differ in the last bit.
    if abs(value - target.value) < 1e-9:
        return True
    return (value > target.value) == (direction == Direction.at_least)
