"""附近: read by anyone."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from servicekit.app import create_router
from servicekit.database import ReadSession
from services.facilities.hours.schemas import NearMoment
from services.facilities.nearby import service
from services.facilities.nearby.repository import NearbyFilter
from services.facilities.nearby.rules import DEFAULT_SPEEDS_KMH, Mode, Reach, reach_in
from services.facilities.nearby.schemas import AccessibilityNeed, Nearby
from services.facilities.positions.rules import to_wgs84
from services.facilities.types.schemas import TypeCode

router = create_router("nearby")
LARGEST_RADIUS_METRES = 20_000
#: 15 分钟生活圈.
CIRCLE_MINUTES = 15


class Around(BaseModel):
    """Where, how far and what."""

    model_config = ConfigDict(extra="forbid")

    latitude: float = Field(ge=-85, le=85, allow_inf_nan=False, description="纬度（度）")
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False, description="经度（度）")
    crs: Literal["WGS-84", "CGCS2000", "GCJ-02", "BD-09"] = Field(
        default="WGS-84", description="坐标系"
    )
    radius_metres: int | None = Field(
        default=None, ge=1, le=LARGEST_RADIUS_METRES, description="半径（米）；不写时按时间"
    )
    mode: Mode = Field(default=Mode.walking, description="步行或骑行，按时间查时用")
    minutes: int | None = Field(default=None, ge=1, le=60, description="几分钟以内，默认 15")
    speed_kmh: float | None = Field(
        default=None, ge=1, le=30, description="速度；默认步行 4、骑行 12 千米每小时"
    )
    facility_type: TypeCode | None = Field(default=None, description="设施类型代码")
    item_id: UUID | None = Field(default=None, description="能办这个事项的")
    accessibility: list[AccessibilityNeed] = Field(
        default=[], max_length=7, description="须有的无障碍、适老适儿设施"
    )
    at: NearMoment | None = Field(default=None, description="按这个时刻看是否开放；不写是此刻")
    limit: int = Field(default=20, ge=1, le=100)

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if self.radius_metres is not None and (self.minutes or self.speed_kmh):
            raise ValueError("按半径查和按时间查只能选一种")
        if self.reach.metres > LARGEST_RADIUS_METRES:
            raise ValueError(f"范围不能超过 {LARGEST_RADIUS_METRES} 米")
        return self

    @property
    def reach(self) -> Reach:
        if self.radius_metres is not None:
            return Reach(self.radius_metres)
        speed = self.speed_kmh or DEFAULT_SPEEDS_KMH[self.mode]
        return reach_in(self.minutes or CIRCLE_MINUTES, speed)


@router.get("/facilities/nearby")
async def find_nearby(around: Annotated[Around, Query()], session: ReadSession) -> Nearby:
    """附近的设施：按半径，或者步行、骑行 15 分钟以内；正在开放的排在前面，再按远近。"""
    return await service.find(
        session,
        to_wgs84(around.latitude, around.longitude, around.crs),
        around.reach,
        NearbyFilter(around.facility_type, around.item_id, tuple(around.accessibility)),
        mode=None if around.radius_metres is not None else around.mode,
        at=around.at,
        limit=around.limit,
    )
