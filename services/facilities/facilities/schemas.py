"""Facilities as the API takes and shows them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from contracts.values import DivisionCode
from services.facilities.facilities.parts import (
    Accessibility,
    Contact,
    Emergency,
    Phone,
    Sharing,
    Signage,
)
from services.facilities.facilities.rules import Action, Finding
from services.facilities.hours.schemas import HolidayPolicy, Seasons, ShortDay, WeeklyHours
from services.facilities.models import FacilityState
from services.facilities.positions.schemas import Position
from services.facilities.types.schemas import TypeCode

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=2, max_length=80),
    AfterValidator(lambda name: " ".join(name.split())),
]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]
#: Square metres, to the hundredth.
Area = Annotated[
    float,
    Field(ge=0, le=10_000_000, allow_inf_nan=False),
    AfterValidator(lambda area: round(area, 2)),
]
Acquisition = Literal["new-built", "converted", "extended", "exchanged", "allocated", "rented"]
Tenure = Literal["owned", "rented", "lent"]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


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
    position: Position | None = Field(default=None, description="坐标；null：未采集")
    host_id: UUID | None = Field(
        default=None, description="设在哪处设施之内：面积已算在那处，汇总时不再计"
    )
    acquired_by: Acquisition | None = Field(default=None, description="场地取得方式")
    tenure: Tenure | None = Field(default=None, description="产权：自有、租用、借用")
    tenure_until: date | None = Field(default=None, description="租借到期日")
    in_use_since: date | None = Field(default=None, description="投用日期")
    contacts: list[Contact] | None = Field(
        default=None, max_length=8, description="按岗位的联系方式，不写姓名"
    )
    accessibility: Accessibility = Field(default_factory=Accessibility)
    weekly_hours: WeeklyHours | None = Field(
        default=None, description="每周开放时间；null：未登记，不等于不开放"
    )
    seasons: Seasons | None = Field(default=None, description="另有开放时间的季节")
    holiday_policy: HolidayPolicy | None = Field(
        default=None, description="节假日和调休；null：照常按周开放"
    )
    last_entry_minutes: int | None = Field(
        default=None, ge=0, le=240, description="每个时段结束前多少分钟停止取号（入场）"
    )
    signage: Signage | None = Field(default=None, description="标牌标识的检查记录")
    sharing: Sharing | None = Field(default=None, description="驻区单位共享资源")
    emergency: Emergency | None = Field(default=None, description="应急避难容量和物资")


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
    note: Note | None = Field(default=None, description="原因或依据；停用、维修须写明")


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
    latitude: float | None = Field(description="纬度（WGS 84，度）")
    longitude: float | None = Field(description="经度（WGS 84，度）")
    recorded_at: datetime
    short_days: list[ShortDay] = Field(
        description="不足 8 小时的日子（一般不少于每天 8 小时；不适用的类型为空）"
    )
    findings: list[Finding] = Field(description="登记内容与政策要求不符之处，供核对")
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
