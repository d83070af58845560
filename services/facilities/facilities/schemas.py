"""Facilities as the API takes and shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from contracts.values import DivisionCode
from services.facilities.facilities.rules import Action
from services.facilities.hours.schemas import ShortDay, WeeklyHours
from services.facilities.models import FacilityState
from services.facilities.types.schemas import TypeCode

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=2, max_length=80),
    AfterValidator(lambda name: " ".join(name.split())),
]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]
#: Landline with area code, mobile, or a short or service number.
Phone = Annotated[
    str,
    StringConstraints(
        pattern=r"^(0[0-9]{2,3}-?[0-9]{7,8}|1[3-9][0-9]{9}|[0-9]{3,6}|[48]00[0-9]{7})$"
    ),
]
#: Square metres, to the hundredth.
Area = Annotated[
    float,
    Field(ge=0, le=10_000_000, allow_inf_nan=False),
    AfterValidator(lambda area: round(area, 2)),
]
Crs = Literal["WGS-84", "CGCS2000", "GCJ-02", "BD-09"]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class Accessibility(BaseModel):
    """无障碍与适老适儿; null: 不清楚."""

    model_config = ConfigDict(extra="forbid")

    ramp: bool | None = Field(default=None, description="坡道")
    accessible_toilet: bool | None = Field(default=None, description="无障碍卫生间")
    tactile_paving: bool | None = Field(default=None, description="盲道")
    lift: bool | None = Field(default=None, description="电梯")
    low_counter: bool | None = Field(default=None, description="低位窗口")
    elder_friendly: bool | None = Field(default=None, description="适老化改造")
    child_friendly: bool | None = Field(default=None, description="适儿化改造")


class FacilityFields(BaseModel):
    """What people record of a facility."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    facility_type: TypeCode = Field(description="设施类型代码，见 /v1/facilities/types")
    division_code: DivisionCode = Field(description="所在村（社区）、乡镇（街道）或县的区划代码")
    address: Address
    phone: Phone | None = None
    total_area_m2: Area | None = Field(default=None, description="总建筑面积（平方米）")
    activity_area_m2: Area | None = Field(default=None, description="居民活动区域面积（平方米）")
    office_area_m2: Area | None = Field(default=None, description="办公面积（平方米）")
    latitude: float | None = Field(
        default=None, ge=-90, le=90, allow_inf_nan=False, description="纬度（WGS 84，度）"
    )
    longitude: float | None = Field(
        default=None, ge=-180, le=180, allow_inf_nan=False, description="经度（WGS 84，度）"
    )
    original_crs: Crs | None = Field(default=None, description="坐标原来采用的坐标系")
    accessibility: Accessibility = Field(default_factory=Accessibility)
    weekly_hours: WeeklyHours | None = Field(
        default=None, description="每周开放时间；null：未登记，不等于不开放"
    )


class FacilityCreate(FacilityFields):
    """A new record; a place that already exists is recorded in its present state."""

    state: FacilityState = FacilityState.planned


class FacilityUpdate(FacilityFields):
    """Changes of a record: what is left out stays, null clears."""

    # The defaults are never read: only what was sent counts.
    name: Name = Field(default_factory=str)
    facility_type: TypeCode = Field(default_factory=str)
    division_code: DivisionCode = Field(default_factory=str)
    address: Address = Field(default_factory=str)

    def over(self, current: FacilityFields) -> FacilityFields:
        """The record as it would be after these changes."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        return current.model_copy(update=sent)


class FacilityTransition(BaseModel):
    """A step in the life of a facility."""

    model_config = ConfigDict(extra="forbid")

    action: Action
    note: Note | None = Field(default=None, description="原因或依据")


class FacilityEntry(BaseModel):
    """A facility in a list."""

    id: UUID
    name: str
    facility_type: str
    type_name: str
    state: FacilityState
    division_code: str
    division_path: str
    address: str
    phone: str | None
    latitude: float | None
    longitude: float | None


class FacilityRead(FacilityFields):
    """A facility with everything recorded of it."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    version: int
    state: FacilityState
    type_name: str
    division_path: str
    recorded_at: datetime
    short_days: list[ShortDay] = Field(
        description="不足 8 小时的日子（一般不少于每天 8 小时；不适用的类型为空）"
    )
    possible_actions: list[Action]


class FacilityVersion(BaseModel):
    """One entry of a facility's history: what was done, and the whole record afterwards."""

    version: int
    action: str
    from_state: FacilityState | None
    to_state: FacilityState
    note: str | None
    actor_name: str | None
    happened_at: datetime
    snapshot: dict[str, Any]
