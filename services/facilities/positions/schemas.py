"""Positions and extents as the API takes and shows them."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.facilities.positions.rules import Point, to_wgs84

Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class Position(BaseModel):
    """坐标，按采集时的坐标系填写；系统换算成 WGS 84 保存和检索。"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latitude: Latitude = Field(description="纬度（度）", examples=[35.0228])
    longitude: Longitude = Field(description="经度（度）", examples=[111.0035])
    crs: Literal["WGS-84", "CGCS2000", "GCJ-02", "BD-09"] = Field(
        description="坐标系：手机地图多为 GCJ-02，测绘成果多为 CGCS2000"
    )

    @property
    def wgs84(self) -> Point:
        return to_wgs84(self.latitude, self.longitude, self.crs)


class ExtentWrite(BaseModel):
    """县（市、区）的四至范围，WGS 84，度。"""

    model_config = ConfigDict(extra="forbid")

    south: Latitude
    west: Longitude
    north: Latitude
    east: Longitude
    source: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.south > self.north or self.west > self.east:
            raise ValueError("南界不能高于北界，西界不能在东界以东")
        return self


class ExtentRead(ExtentWrite):
    """A recorded extent."""

    model_config = ConfigDict(extra="ignore")

    division_code: str
    version: int
    recorded_at: datetime
