"""The life of a facility, and what its record must satisfy beyond the form of each field."""

from dataclasses import dataclass
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


class Record(Protocol):
    """The fields that are checked against each other."""

    @property
    def total_area_m2(self) -> float | None: ...
    @property
    def activity_area_m2(self) -> float | None: ...
    @property
    def office_area_m2(self) -> float | None: ...
    @property
    def latitude(self) -> float | None: ...
    @property
    def longitude(self) -> float | None: ...
    @property
    def original_crs(self) -> str | None: ...


def faults(record: Record) -> list[Fault]:
    """Everything wrong between the fields of a record."""
    return [*_area_faults(record), *_coordinate_faults(record)]


def _area_faults(record: Record) -> list[Fault]:
    found = []
    for name, words in (("activity_area_m2", "居民活动区域面积"), ("office_area_m2", "办公面积")):
        part = getattr(record, name)
        if part is None:
            continue
        if record.total_area_m2 is None:
            found.append(
                Fault("/total_area_m2", f"填写{words}时也要填写总建筑面积", "area-missing")
            )
        elif part > record.total_area_m2:
            found.append(Fault(f"/{name}", f"{words}不能大于总建筑面积", "area-too-large"))
    return found


def _coordinate_faults(record: Record) -> list[Fault]:
    latitude, longitude = record.latitude, record.longitude
    if latitude is None and longitude is None:
        if record.original_crs is not None:
            return [Fault("/original_crs", "没有坐标时不必填写坐标系", "coordinates-missing")]
        return []
    if latitude is None or longitude is None:
        path = "/latitude" if latitude is None else "/longitude"
        return [Fault(path, "经度和纬度要一起填写", "coordinates-incomplete")]
    found = []
    if record.original_crs is None:
        found.append(Fault("/original_crs", "请写明坐标原来采用的坐标系", "crs-missing"))
    if not LATITUDES[0] <= latitude <= LATITUDES[1]:
        found.append(
            Fault("/latitude", "纬度不在中国范围内，请检查是否与经度写反", "outside-china")
        )
    if not LONGITUDES[0] <= longitude <= LONGITUDES[1]:
        found.append(
            Fault("/longitude", "经度不在中国范围内，请检查是否与纬度写反", "outside-china")
        )
    return found
