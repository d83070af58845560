"""Routing as pure functions: rules are data, the first match by priority wins, with a trace."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from contracts.values import DivisionLevel, division_at, division_covers, division_level

#: In a target: the department of the item itself.
ITEM_DEPARTMENT = "item"


class Match(BaseModel):
    """What a rule looks at; an empty list matches everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_codes: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    levels: tuple[DivisionLevel, ...] = ()
    item_kinds: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()


class Target(BaseModel):
    """Where a matching case goes: a department at a level of the applicant's division."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: DivisionLevel
    department: str


class Rule(BaseModel):
    """One routing rule; a lower priority number is looked at first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    priority: int = Field(ge=0, le=9999)
    name: str
    match: Match = Match()
    target: Target
    source: str = ""


@dataclass(frozen=True, slots=True)
class Matter:
    """What is to be routed."""

    item_code: str
    department: str
    level: DivisionLevel
    item_kind: str
    division_code: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a matter goes and why; `unit_code` None means the dispatch queue of the division."""

    rule_set_version: int
    unit_code: str | None
    rule: str | None
    #: Rules looked at before, each with the reason it did not fire.
    skipped: tuple[tuple[str, str], ...] = field(default=())

    def as_record(self) -> dict[str, Any]:
        """What is stored with the case."""
        return {
            "rule_set_version": self.rule_set_version,
            "rule": self.rule,
            "unit": self.unit_code,
            "skipped": [{"rule": name, "because": reason} for name, reason in self.skipped],
        }


def why_not(match: Match, matter: Matter) -> str | None:
    """The first condition a matter fails, in words; None when it matches."""
    if match.item_codes and matter.item_code not in match.item_codes:
        return "事项不在规则内"
    if match.departments and matter.department not in match.departments:
        return "主管部门不在规则内"
    if match.levels and matter.level not in match.levels:
        return "办理层级不在规则内"
    if match.item_kinds and matter.item_kind not in match.item_kinds:
        return "事项类别不在规则内"
    if match.divisions and not any(
        division_covers(outer, matter.division_code) for outer in match.divisions
    ):
        return "区域不在规则内"
    return None


def route(rules: Iterable[Rule], version: int, matter: Matter, units: Container[str]) -> Decision:
    """Decide; `rules` come sorted by priority."""
    skipped: list[tuple[str, str]] = []
    for rule in rules:
        reason = why_not(rule.match, matter)
        if reason is None:
            unit = _unit_code(rule.target, matter)
            if unit is not None and unit in units:
                return Decision(version, unit, rule.name, tuple(skipped))
            reason = f"单位 {unit} 尚未登记" if unit else "申请人所在区域高于规则的办理层级"
        skipped.append((rule.name, reason))
    return Decision(version, None, None, tuple(skipped))


def _unit_code(target: Target, matter: Matter) -> str | None:
    levels = list(DivisionLevel)
    if levels.index(division_level(matter.division_code)) < levels.index(target.level):
        return None
    department = matter.department if target.department == ITEM_DEPARTMENT else target.department
    return f"{division_at(matter.division_code, target.level)}:{department}"
