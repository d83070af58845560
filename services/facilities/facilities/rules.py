"""The life of a facility, and what its record must satisfy beyond the form of each field."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from services.facilities.models import FacilityState


class Action(StrEnum):
    """What can be done with a facility."""

    start_building = "start-building"  # 开工
    start_operation = "start-operation"  # 启用
    start_repair = "start-repair"  # 停用维修
    close = "close"  # 停用
    plan_again = "plan-again"  # 重新规划


#: (state, action) → state; what is not here cannot be done. A site that is rented, exchanged or
#: converted opens without being built. Source: 吉办发〔2016〕3号 (新建、改建、扩建、换购、租借),
#: 运政办发〔2023〕14号; the states themselves are ours.
TRANSITIONS: dict[tuple[FacilityState, Action], FacilityState] = {
    (FacilityState.planned, Action.start_building): FacilityState.building,
    (FacilityState.planned, Action.start_operation): FacilityState.open,
    (FacilityState.planned, Action.close): FacilityState.closed,
    (FacilityState.building, Action.start_operation): FacilityState.open,
    (FacilityState.building, Action.close): FacilityState.closed,
    (FacilityState.open, Action.start_building): FacilityState.building,
    (FacilityState.open, Action.start_repair): FacilityState.repair,
    (FacilityState.open, Action.close): FacilityState.closed,
    (FacilityState.repair, Action.start_operation): FacilityState.open,
    (FacilityState.repair, Action.close): FacilityState.closed,
    (FacilityState.closed, Action.start_operation): FacilityState.open,
    (FacilityState.closed, Action.plan_again): FacilityState.planned,
}


def next_state(state: FacilityState, action: Action) -> FacilityState | None:
    """The state after an action, or None where it cannot be done."""
    return TRANSITIONS.get((state, action))


def possible_actions(state: FacilityState) -> list[Action]:
    """What can be done in a state."""
    return [action for action in Action if (state, action) in TRANSITIONS]


#: Steps that say why: residents find a closed door.
NEEDS_REASON = frozenset({Action.start_repair, Action.close})

#: Degrees WGS 84 around the whole territory, islands of the South China Sea included.
#: Source: extreme points of China, 3°52′N–53°33′N and 73°40′E–135°05′E, rounded outwards.
LATITUDES = (3.8, 53.6)
LONGITUDES = (73.4, 135.1)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a record; `path` as in a problem document."""

    path: str
    message: str
    type: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a record that does not fit a policy; recorded all the same."""

    code: str
    message: str


class Record(Protocol):
    """The fields that are checked against each other."""

    @property
    def total_area_m2(self) -> float | None: ...
    @property
    def activity_area_m2(self) -> float | None: ...
    @property
    def office_area_m2(self) -> float | None: ...
    @property
    def tenure(self) -> str | None: ...
    @property
    def tenure_until(self) -> date | None: ...


def faults(record: Record) -> list[Fault]:
    """Everything wrong between the fields of a record."""
    return [fault for check in CHECKS for fault in check(record)]


def _tenure_faults(record: Record) -> list[Fault]:
    if record.tenure_until is None or record.tenure in ("rented", "lent"):
        return []
    return [Fault("/tenure_until", "只有租用、借用的场地有到期日", "tenure-not-limited")]


def _activity_faults(record: Record) -> list[Fault]:
    return _part_faults(record, "activity_area_m2", "居民活动区域面积")


def _office_faults(record: Record) -> list[Fault]:
    return _part_faults(record, "office_area_m2", "办公面积")


def _part_faults(record: Record, name: str, words: str) -> list[Fault]:
    part: float | None = getattr(record, name)
    if part is None:
        return []
    if record.total_area_m2 is None:
        return [Fault("/total_area_m2", f"填写{words}时也要填写总建筑面积", "area-missing")]
    if part > record.total_area_m2:
        return [Fault(f"/{name}", f"{words}不能大于总建筑面积", "area-too-large")]
    return []


#: Each looks at few fields: it stays silent where one of them could not be read.
CHECKS: tuple[Callable[[Record], list[Fault]], ...] = (
    _activity_faults,
    _office_faults,
    _tenure_faults,
)


def position_faults(latitude: float, longitude: float) -> list[Fault]:
    """Whether degrees WGS 84 can lie in China at all."""
    found = []
    if not LATITUDES[0] <= latitude <= LATITUDES[1]:
        found.append(
            Fault("/position/latitude", "纬度不在中国范围内，请检查是否与经度写反", "outside-china")
        )
    if not LONGITUDES[0] <= longitude <= LONGITUDES[1]:
        found.append(
            Fault(
                "/position/longitude", "经度不在中国范围内，请检查是否与纬度写反", "outside-china"
            )
        )
    return found


#: What hangs outside a village's 综合服务设施, and nothing else.
#: Source: 《关于规范村级组织工作事务、机制牌子和证明事项的意见》6.
OUTSIDE_PLATES = {
    "party-organisation": "村党组织标牌",
    "village-committee": "村民委员会标牌",
    "collective-economy": "村集体经济组织标牌",
    "supervision-committee": "村务监督委员会标牌",
    "party-mass-service-centre": "村党群服务中心标识",
    "civilisation-practice-station": "村新时代文明实践站标识",
}
#: Allowed beside them: 社区名称 and “中国社区”标识. Source: 吉办发〔2016〕3号.
ALSO_OUTSIDE = frozenset({"community-name", "china-community"})
_INSIDE_PLATES = {
    "has_service_plate": "村级综合服务机构标牌",
    "has_guide_plate": "集合式服务功能指引标牌",
    "has_area_plates": "功能区域入口的简明标牌",
}


class PlateLike(Protocol):
    """A plate outside."""

    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str: ...


class SignageLike(Protocol):
    """What was seen on a day."""

    @property
    def outside(self) -> Sequence[PlateLike]: ...


def signage_findings(signage: SignageLike) -> list[Finding]:
    """Plates that should not hang outside a village's centre, and those that are not there."""
    kinds = [plate.kind for plate in signage.outside]
    found = [
        Finding("plate-superfluous", f"外部不应悬挂：{plate.text}")
        for plate in signage.outside
        if plate.kind not in OUTSIDE_PLATES and plate.kind not in ALSO_OUTSIDE
    ]
    for kind, words in OUTSIDE_PLATES.items():
        if kind not in kinds:
            found.append(Finding("plate-missing", f"外部没有{words}"))
        elif kinds.count(kind) > 1:
            found.append(Finding("plate-repeated", f"{words}悬挂了 {kinds.count(kind)} 块"))
    for name, words in _INSIDE_PLATES.items():
        if getattr(signage, name) is False:
            found.append(Finding("plate-missing", f"内部没有{words}"))
    return found
