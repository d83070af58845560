"""What a list of divisions must satisfy, and what is merely odd about it.

A list that breaks the tree is refused whole. The numbering of segments is a habit with known
exceptions, so what deviates is reported and loaded.
Source: 统计用区划代码 (省2 地2 县2 乡级3 村级3), checked on the 2023-06-30 edition.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from contracts.values import DivisionLevel, division_covers, division_level

COMMUNITY_KINDS = frozenset({"village", "urban_community"})
_NUMBER = re.compile(r"[0-9]+")
_CODE = re.compile(r"(?!00)[0-9]{12}")


@dataclass(frozen=True, slots=True)
class DivisionRow:
    """One row of a list of divisions, as it was read."""

    code: str
    name: str
    level: str
    parent_code: str | None
    community_kind: str | None


class _Segment(NamedTuple):
    """A range of segment numbers with the names it is meant for."""

    first: int
    last: int
    label: str
    name: re.Pattern[str] | None
    kind: str | None = None


#: Digits 7–9. Above 400 stand development zones, farms and the like, under any name.
_TOWNSHIP_SEGMENTS = (
    _Segment(1, 99, "街道", re.compile(r"(街道|街道办事处|办事处)$")),
    _Segment(100, 199, "镇", re.compile(r"镇$")),
    _Segment(200, 399, "乡", re.compile(r"(乡|苏木)$")),
    _Segment(400, 599, "类似乡级单位", None),
)
_VILLAGE_NAME = re.compile(r"(村委会|村民委员会)$")
_URBAN_NAME = re.compile(r"(居委会|居民委员会|社区)$")
#: Digits 10–12.
_COMMUNITY_SEGMENTS = (
    _Segment(1, 199, "居委会", _VILLAGE_NAME, "urban_community"),
    _Segment(200, 399, "村委会", _URBAN_NAME, "village"),
    _Segment(400, 499, "类似居委会", None, "urban_community"),
    _Segment(500, 599, "类似村委会", None, "village"),
)


def refusals(rows: Sequence[DivisionRow], known: Collection[str]) -> list[str]:
    """Why a list cannot be loaded; `known` are codes already recorded. Empty: it can."""
    told: list[str] = []
    seen: set[str] = set()
    listed = {row.code for row in rows}
    for row in rows:
        if row.code in seen:
            told.append(f"{row.code}: listed twice")
        seen.add(row.code)
        told += [f"{row.code}: {reason}" for reason in _faults(row, listed, known)]
    return told


def _faults(row: DivisionRow, listed: Collection[str], known: Collection[str]) -> list[str]:
    if not _CODE.fullmatch(row.code):
        return ["the code is not 12 digits"]
    told = []
    if not row.name:
        told.append("no name")
    if row.level != division_level(row.code):
        told.append(f"level {row.level!r} where the code says {division_level(row.code)}")
    is_community = row.level == DivisionLevel.community
    if is_community and row.community_kind not in COMMUNITY_KINDS:
        told.append(f"community kind {row.community_kind!r}")
    if not is_community and row.community_kind is not None:
        told.append("a community kind above the lowest level")
    parent = row.parent_code
    if (parent is None) != (row.level == DivisionLevel.province):
        told.append("only provinces stand without a parent")
    elif parent is not None:
        if parent not in listed and parent not in known:
            told.append(f"orphan: its parent {parent} is unknown")
        elif parent == row.code or not division_covers(parent, row.code):
            told.append(f"does not lie below its parent {parent}")
    return told


def numbering_warnings(row: DivisionRow) -> list[str]:
    """What is odd about the number of a division, given its name and kind."""
    if row.level == DivisionLevel.township:
        segment = _segment(_TOWNSHIP_SEGMENTS, row.code[6:9])
        if segment is None:
            return [f"{row.code} {row.name}: township number {row.code[6:9]} is outside 001–599"]
        if segment.name is not None and not segment.name.search(row.name):
            return [f"{row.code} {row.name}: numbered as {segment.label}"]
    if row.level == DivisionLevel.community:
        segment = _segment(_COMMUNITY_SEGMENTS, row.code[9:])
        if segment is None:
            return [f"{row.code} {row.name}: community number {row.code[9:]} is outside 001–599"]
        contradicts = segment.name is not None and segment.name.search(row.name)
        if contradicts or row.community_kind != segment.kind:
            return [f"{row.code} {row.name}: numbered as {segment.label}"]
    return []


def community_kind_of(code: str) -> str:
    """Village or urban community, as the number says; names that contradict it are reported."""
    segment = _segment(_COMMUNITY_SEGMENTS, code[9:])
    return segment.kind if segment and segment.kind else "village"


def _segment(segments: Sequence[_Segment], digits: str) -> _Segment | None:
    if _NUMBER.fullmatch(digits) is None:
        return None
    number = int(digits)
    return next((part for part in segments if part.first <= number <= part.last), None)
