"""Pure rules of certificates: which list speaks of a name, and what a village may answer."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Literal, Protocol

from contracts.values import division_covers, division_prefix
from services.catalogue.models import ListKind, ReportState
from services.catalogue.words import fold

#: Of the pairs of characters of a name, the share that an alike name has. Ours.
ALIKE_SHARE = 1 / 3
MOST_ALIKE = 3
_IDLE = re.compile(r"[\s的“”\"'《》（）()、，,。.]+")
_BLANK = re.compile(r"\{([^{}]*)\}")

Outcome = Literal["yes", "no", "verify-first"]
#: 《关于规范村级组织工作事务、机制牌子和证明事项的意见》二（三）8.
TEXTS: Mapping[Outcome, str] = {
    "no": (
        "村（社区）不出具这项证明。有关部门仍要求的，请把部门和事由告诉村里，由村里向乡镇反映，"
        "乡镇联系部门协调处理。"
    ),
    "yes": "村（社区）可以出具这项证明，按式样和程序办理。",
    "verify-first": (
        "没有列入清单。村（社区）对能够核实的事项据实出具；涉及重大问题或者法律风险的，"
        "先认真调查核实，组织村民议事协商，必要时由村民会议、村民代表会议讨论决定。"
    ),
}


class _List(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def division_code(self) -> str | None: ...
    @property
    def effective_from(self) -> date: ...


class _Entry(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def also_known_as(self) -> Sequence[str]: ...


def key_of(name: str) -> str:
    """What names are compared by: 无 犯罪记录 的 证明 and 无犯罪记录证明 are one."""
    return _IDLE.sub("", fold(name)).removesuffix("证明")


def in_force(lists: Iterable[Any], division: str, on: date) -> list[Any]:
    """The lists that speak for a division on a day.

    Of each list the version in force. Of lists of what is not issued only that of the nearest
    division: a province's list takes the place of the national one it was made from.
    """
    newest: dict[str, Any] = {}
    for each in lists:
        covers = each.division_code is None or division_covers(each.division_code, division)
        known = newest.get(each.code)
        newer = known is None or known.effective_from < each.effective_from
        if covers and newer and each.effective_from <= on:
            newest[each.code] = each
    issued = [each for each in newest.values() if each.kind == ListKind.issued]
    refused = [each for each in newest.values() if each.kind == ListKind.not_issued]
    return [*sorted(refused, key=_nearness)[-1:], *sorted(issued, key=_nearness, reverse=True)]


def _nearness(each: _List) -> tuple[int, date]:
    depth = 0 if each.division_code is None else len(division_prefix(each.division_code))
    return depth, each.effective_from


def find(name: str, entries: Iterable[_Entry]) -> Any | None:
    """The entry of a name, by its own name or another it is known by."""
    wanted = key_of(name)
    for entry in entries:
        if wanted in map(key_of, (entry.name, *entry.also_known_as)):
            return entry
    return None


def alike(name: str, entries: Iterable[_Entry]) -> list[str]:
    """Names like the one that was asked for, the likest first."""
    wanted = _pairs(key_of(name))
    shares = [
        (max(_share(wanted, _pairs(key_of(each))) for each in (e.name, *e.also_known_as)), e.name)
        for e in entries
    ]
    close = sorted((-share, each) for share, each in shares if share >= ALIKE_SHARE)
    return [each for _, each in close[:MOST_ALIKE]]


def _pairs(key: str) -> set[str]:
    return {key[n : n + 2] for n in range(len(key) - 1)} or {key}


def _share(wanted: set[str], found: set[str]) -> float:
    return len(wanted & found) / min(len(wanted), len(found))


def blanks(text: str) -> set[str]:
    """The names of the blanks of a template: 兹证明{name} → name."""
    return set(_BLANK.findall(text))


class Action(StrEnum):
    """What is done about a report."""

    take = "take"
    escalate = "escalate"
    settle = "settle"


#: State and action → (next state, role): 村反映 → 乡镇协调 → 报县 → 办结.
TRANSITIONS: dict[tuple[ReportState, Action], tuple[ReportState, str]] = {
    (ReportState.reported, Action.take): (ReportState.coordinating, "township-officer"),
    (ReportState.coordinating, Action.escalate): (ReportState.escalated, "township-officer"),
    (ReportState.coordinating, Action.settle): (ReportState.settled, "township-officer"),
    (ReportState.escalated, Action.settle): (ReportState.settled, "county-admitter"),
}
HANDLERS = ("township-officer", "county-admitter")
REPORTERS = ("village-agent", "window-clerk")
