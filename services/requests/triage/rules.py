"""分流 as pure functions: the three classes of matters, and what a village may be handed.

Source: 《关于规范村级组织工作事务、机制牌子和证明事项的意见》 (P4) 一（一）1-2: departments hand nothing to
villages that the county has not admitted; 行政执法、拆迁拆违、招商引资、安全生产 never; what residents need and
a village cannot carry is the township's to coordinate.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contracts.values import DivisionLevel, division_at, division_covers, division_level


class TriageClass(StrEnum):
    """三类事项."""

    government_public = "government-public"  # 政府基本公共服务事项
    village_public = "village-public"  # 村级公共事务和公益服务事项
    villager_personal = "villager-personal"  # 村民群众个人事项


class Ground(StrEnum):
    """Why a village may or may not be handed a matter."""

    own_affair = "own-affair"
    personal_affair = "personal-affair"
    admitted = "admitted"
    not_admitted = "not-admitted"
    forbidden_kind = "forbidden-kind"


WORDS = {
    Ground.own_affair: "村级公共事务和公益服务事项，由村（社区）办理",
    Ground.personal_affair: "村民群众个人事项，由村（社区）指导、帮助办理",
    Ground.admitted: "县级已准入，村（社区）可以协助办理",
    Ground.not_admitted: "县级没有准入，不得派交村（社区），由乡镇（街道）办理或协调",
    Ground.forbidden_kind: "行政执法、拆迁拆违、招商引资、安全生产等事项不得由村（社区）承担",
}
#: 事项类型 that only an authority may exercise: 处罚, 强制, 征收, 检查. Source: GB/T 39046-2020 A.1.
_ENFORCEMENT = frozenset({"02", "03", "04", "06"})
#: How the names of the other forbidden kinds show. Source: P4 一（一）1.
_FORBIDDEN_WORDS = ("行政执法", "执法检查", "拆迁", "拆违", "拆除违", "招商", "安全生产")
#: The township window coordinates what a village may not or cannot carry.
COORDINATOR = "one-window"


@dataclass(frozen=True, slots=True)
class Admission:
    """准入: a county lets the villages below a division be handed an item for a time."""

    item_code: str
    #: The county, or a part of it; its subtree.
    division_code: str
    valid_from: date
    #: The last day, or None while it stands.
    valid_until: date | None

    def holds(self, division_code: str, day: date) -> bool:
        """Whether it lets a village receive on a day."""
        return (
            division_covers(self.division_code, division_code)
            and self.valid_from <= day
            and (self.valid_until is None or day <= self.valid_until)
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What triage says of a matter in a place."""

    triage_class: TriageClass
    ground: Ground

    @property
    def village_may_receive(self) -> bool:
        return self.ground in (Ground.own_affair, Ground.personal_affair, Ground.admitted)

    @property
    def reason(self) -> str:
        """The ground in words."""
        return WORDS[self.ground]


def is_forbidden(name: str, task_type: str) -> bool:
    """Whether a matter is of a kind no village may ever answer for."""
    return task_type in _ENFORCEMENT or any(word in name for word in _FORBIDDEN_WORDS)


def triage(
    *,
    name: str,
    task_type: str,
    triage_class: str,
    division_code: str,
    admissions: Iterable[Admission],
    day: date,
) -> Verdict:
    """Say what a village may do with an item; `admissions` are those of the item.

    A forbidden kind is forbidden whatever class or admission says otherwise.
    """
    kind = TriageClass(triage_class)
    if is_forbidden(name, task_type):
        return Verdict(kind, Ground.forbidden_kind)
    if kind is TriageClass.village_public:
        return Verdict(kind, Ground.own_affair)
    if kind is TriageClass.villager_personal:
        return Verdict(kind, Ground.personal_affair)
    admitted = any(admission.holds(division_code, day) for admission in admissions)
    return Verdict(kind, Ground.admitted if admitted else Ground.not_admitted)


def is_village_unit(unit_code: str) -> bool:
    """Whether a unit code `<division>:<department>` is of a village or community."""
    return division_level(unit_code.partition(":")[0]) is DivisionLevel.community


def receiving_unit(unit_code: str, verdict: Verdict, units: Container[str]) -> str | None:
    """The unit that may have what routing gave to `unit_code`.

    Any unit above the village keeps it. A village that may not is passed over for the township's
    window, and where that is not registered for the dispatch queue (None), never the village.
    """
    if verdict.village_may_receive or not is_village_unit(unit_code):
        return unit_code
    return unit_above(unit_code, units)


def unit_above(unit_code: str, units: Container[str]) -> str | None:
    """The township window a village passes a matter up to, or None where there is none."""
    township = division_at(unit_code.partition(":")[0], DivisionLevel.township)
    above = f"{township}:{COORDINATOR}"
    return above if above in units else None
