"""What a change of divisions must satisfy."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from contracts.values import (
    SIGNIFICANT_DIGITS,
    DivisionLevel,
    division_covers,
    division_level,
)

#: Kind → how many divisions before and after: least and most.
_MANY = 200
SHAPES = {
    "found": ((0, 0), (1, _MANY)),
    "rename": ((1, 1), (1, 1)),
    "merge": ((1, _MANY), (1, 1)),
    "split": ((1, 1), (2, _MANY)),
    "recode": ((1, 1), (1, 1)),
    "close": ((1, _MANY), (0, 0)),
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record of a code."""

    name: str
    parent_code: str | None
    is_in_force: bool
    valid_from: date | None
    has_children: bool


class After(Protocol):
    """A division as it is after the change."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def parent_code(self) -> str | None: ...
    @property
    def community_kind(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class ChangeFault:
    """Something wrong with a change; `path` as in a problem document."""

    path: str
    message: str
    type: str


def parent_of(code: str) -> str | None:
    """The division above, by the digits; None for a province."""
    levels = list(SIGNIFICANT_DIGITS.items())
    position = [level for level, _ in levels].index(division_level(code))
    if position == 0:
        return None
    return code[: levels[position - 1][1]].ljust(len(code), "0")


def change_faults(
    kind: str,
    before: Sequence[str],
    after: Sequence[After],
    known: Mapping[str, Known],
    *,
    effective_on: date,
    today: date,
) -> list[ChangeFault]:
    """Everything wrong with a change; `known` holds the codes and parents that are on record."""
    found = _shape_faults(kind, before, after)
    if effective_on > today:
        found.append(ChangeFault("/effective_on", "以后生效的变更，到生效之日再登记", "not-yet"))
    kept = {entry.code for entry in after}
    for index, code in enumerate(before):
        found += _before_faults(f"/before/{index}", code, known, kept, effective_on)
    for index, entry in enumerate(after):
        found += _after_faults(f"/after/{index}", kind, entry, before, known)
    levels = {division_level(code) for code in [*before, *kept]}
    if len(levels) > 1:
        found.append(ChangeFault("/after", "变更前后应是同一级区划", "levels-differ"))
    return found


def _shape_faults(kind: str, before: Sequence[str], after: Sequence[After]) -> list[ChangeFault]:
    (least_before, most_before), (least_after, most_after) = SHAPES[kind]
    found = []
    if not least_before <= len(before) <= most_before or len(set(before)) != len(before):
        found.append(ChangeFault("/before", "变更前的区划数目与变更种类不符", "count"))
    codes = [entry.code for entry in after]
    if not least_after <= len(after) <= most_after or len(set(codes)) != len(codes):
        found.append(ChangeFault("/after", "变更后的区划数目与变更种类不符", "count"))
    same = list(before) == codes
    if kind == "rename" and not same:
        found.append(ChangeFault("/after", "更名时代码不变", "code-changed"))
    if kind == "recode" and same:
        found.append(ChangeFault("/after", "代码没有变", "code-unchanged"))
    if kind == "merge" and len(set(before) | set(codes)) < 2:
        found.append(ChangeFault("/before", "合并至少涉及两个区划", "count"))
    return found


def _before_faults(
    path: str,
    code: str,
    known: Mapping[str, Known],
    kept: Collection[str],
    effective_on: date,
) -> list[ChangeFault]:
    recorded = known.get(code)
    if recorded is None or not recorded.is_in_force:
        return [ChangeFault(path, f"没有 {code} 这个区划，或它已撤销", "division-unknown")]
    found = []
    if recorded.valid_from is not None and effective_on <= recorded.valid_from:
        found.append(ChangeFault("/effective_on", f"{code} 在此日之后才设立", "too-early"))
    if code not in kept and recorded.has_children:
        found.append(
            ChangeFault(path, f"{recorded.name}还有下级区划，请先变更下级", "has-children")
        )
    return found


def _after_faults(
    path: str, kind: str, entry: After, before: Sequence[str], known: Mapping[str, Known]
) -> list[ChangeFault]:
    recorded = known.get(entry.code)
    found = []
    if recorded is not None:
        if not recorded.is_in_force:
            found.append(ChangeFault(f"{path}/code", "撤销了的代码不再使用", "code-used"))
        elif entry.code not in before and kind != "merge":
            found.append(
                ChangeFault(f"{path}/code", f"{entry.code} 已是{recorded.name}", "code-used")
            )
        if kind == "rename" and entry.name in (None, recorded.name):
            found.append(ChangeFault(f"{path}/name", "名称没有变", "name-unchanged"))
        return found
    if not entry.name:
        found.append(ChangeFault(f"{path}/name", "新设的区划要有名称", "name-missing"))
    is_community = division_level(entry.code) is DivisionLevel.community
    if is_community != (entry.community_kind is not None):
        found.append(
            ChangeFault(f"{path}/community_kind", "村（社区）要写明类别，其他级别不写", "kind")
        )
    parent = entry.parent_code or parent_of(entry.code)
    if parent is not None:
        above = known.get(parent)
        if above is None or not above.is_in_force:
            found.append(
                ChangeFault(f"{path}/parent_code", f"没有上级区划 {parent}，或它已撤销", "parent")
            )
        elif parent == entry.code or not division_covers(parent, entry.code):
            found.append(ChangeFault(f"{path}/parent_code", "代码不在上级区划之内", "parent"))
    return found
