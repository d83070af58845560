"""Routing as values: what a rule looks at, where it sends a matter, and what was decided and why."""

from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.values import (
    Channel,
    DivisionCode,
    DivisionLevel,
    UnitCode,
    division_at,
    division_level,
)

#: In a target: the department of the item itself.
ITEM_DEPARTMENT = "item"
LEVELS = list(DivisionLevel)
#: Rules that were passed over and are kept with a case; `explain` shows them all.
KEPT_SKIPS = 20
_WEEK = range(1, 8)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Part):
    """When a rule holds, in local time: weekdays 1 (Monday) to 7, from one time until another."""

    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = ()
    opens: time = time(0)
    closes: time = time(23, 59, 59)

    def holds(self, at: datetime) -> bool:
        """Whether a local moment lies in it; one that closes before it opens goes over midnight."""
        if self.weekdays and at.isoweekday() not in self.weekdays:
            return False
        if self.opens <= self.closes:
            return self.opens <= at.time() <= self.closes
        return at.time() >= self.opens or at.time() <= self.closes

    def overlaps(self, other: "Window") -> bool:
        """Whether there is a moment in both."""
        days = set(self.weekdays or _WEEK) & set(other.weekdays or _WEEK)
        return bool(days) and any(
            opens <= other_closes and other_opens <= closes
            for opens, closes in self._spans()
            for other_opens, other_closes in other._spans()
        )

    def _spans(self) -> list[tuple[time, time]]:
        if self.opens <= self.closes:
            return [(self.opens, self.closes)]
        return [(time(0), self.closes), (self.opens, time.max)]


class Match(_Part):
    """What a rule looks at; an empty list matches everything."""

    item_codes: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    levels: tuple[DivisionLevel, ...] = ()
    item_kinds: tuple[str, ...] = ()
    divisions: tuple[DivisionCode, ...] = ()
    categories: tuple[str, ...] = ()
    triage_classes: tuple[str, ...] = ()
    #: 服务对象: individuals or organisations.
    objects: tuple[Literal["individual", "organisation"], ...] = ()
    channels: tuple[Channel, ...] = ()
    window: Window | None = None
    #: Only while the target has at most so many open cases.
    max_unit_load: int | None = Field(default=None, ge=0)

    @property
    def is_static(self) -> bool:
        """Whether time and load have no say."""
        return self.window is None and self.max_unit_load is None


class UnitTarget(_Part):
    """A department at a level of the applicant's division."""

    kind: Literal["unit"] = "unit"
    level: DivisionLevel
    department: str

    def unit_code(self, matter: "Matter") -> str | None:
        """The unit; None when the applicant's division lies above the level."""
        if LEVELS.index(division_level(matter.division_code)) < LEVELS.index(self.level):
            return None
        department = matter.department if self.department == ITEM_DEPARTMENT else self.department
        return f"{division_at(matter.division_code, self.level)}:{department}"


class NamedUnit(_Part):
    """One unit, wherever the applicant lives."""

    kind: Literal["named-unit"]
    unit: UnitCode

    def unit_code(self, _: "Matter") -> str | None:
        """The unit."""
        return self.unit


class Escalation(_Part):
    """上级: a department one level above the one at which the item is decided."""

    kind: Literal["escalation"]
    department: str = ITEM_DEPARTMENT

    def unit_code(self, matter: "Matter") -> str | None:
        """The unit; None when there is no level above."""
        above = LEVELS.index(matter.level) - 1
        if above < 0:
            return None
        return UnitTarget(level=LEVELS[above], department=self.department).unit_code(matter)


class Queue(_Part):
    """The manual dispatch queue of the division."""

    kind: Literal["queue"]


class Parallel(_Part):
    """并联: a lead unit that decides, and others that give their opinion."""

    kind: Literal["parallel"]
    lead: UnitTarget | NamedUnit
    others: tuple[UnitTarget | NamedUnit, ...] = Field(min_length=1, max_length=20)


Target = Annotated[
    UnitTarget | NamedUnit | Escalation | Queue | Parallel, Field(discriminator="kind")
]


class Rule(_Part):
    """One routing rule; a lower priority number is looked at first."""

    priority: int = Field(ge=0, le=9999)
    name: str = Field(min_length=1, max_length=100)
    match: Match = Match()
    target: Target
    source: str = Field(default="", max_length=500)

    @model_validator(mode="before")
    @classmethod
    def _unit_by_default(cls, value: Any) -> Any:
        """A target without a kind is a department at a level."""
        target = value.get("target") if isinstance(value, dict) else None
        if isinstance(target, dict) and "kind" not in target:
            return {**value, "target": {"kind": "unit", **target}}
        return value


@dataclass(frozen=True, slots=True)
class Matter:
    """What is to be routed."""

    item_code: str
    department: str
    level: DivisionLevel
    item_kind: str
    division_code: str
    category: str = ""
    triage_class: str = ""
    object: str = "individual"
    channel: str = ""
    #: Local time; None: whenever.
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a matter goes and why; `unit_code` None means the dispatch queue of the division."""

    rule_set_version: int
    unit_code: str | None
    rule: str | None
    #: Rules looked at before, each with the reason it did not fire.
    skipped: tuple[tuple[str, str], ...] = ()
    #: Units that are asked for their opinion before the decision.
    parallel: tuple[str, ...] = field(default=())

    def as_record(self, *, whole: bool = False) -> dict[str, Any]:
        """What is stored with the case; the whole trace is shown on asking."""
        kept = self.skipped if whole else self.skipped[:KEPT_SKIPS]
        return {
            "rule_set_version": self.rule_set_version,
            "rule": self.rule,
            "unit": self.unit_code,
            "parallel": list(self.parallel),
            "skipped": [{"rule": name, "because": reason} for name, reason in kept],
            "skipped_count": len(self.skipped),
        }
