"""Rooms as the API takes and shows them."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.facilities.facilities.schemas import Area, Name
from services.facilities.types.schemas import TypeCode


def _each_once(uses: list[str]) -> list[str]:
    if len(set(uses)) != len(uses):
        raise ValueError("同一用途只写一次")
    return uses


class RoomWrite(BaseModel):
    """一间房；一室多用的，把用途都写上，面积只算一次。"""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["二楼多功能室"])
    area_m2: Area | None = Field(default=None, gt=0, description="使用面积（平方米）")
    seats: int | None = Field(default=None, ge=0, le=100_000, description="座位数")
    uses: Annotated[
        list[TypeCode], Field(min_length=1, max_length=12), AfterValidator(_each_once)
    ] = Field(description="用途：设施类型字典里 form 为 room 的代码")


class RoomRead(RoomWrite):
    """A room."""

    model_config = ConfigDict(extra="ignore")

    id: UUID


class UseArea(BaseModel):
    """The area of the rooms that serve one use; a room of several uses stands in each."""

    use: str
    rooms: int
    area_m2: float | None = Field(description="null：其中有房间没有登记面积")


class AreaSummary(BaseModel):
    """面积: what is counted once, and what is shared."""

    total_area_m2: float | None
    activity_area_m2: float | None
    office_area_m2: float | None
    counted_area_m2: float | None = Field(
        description="汇总到区划时计入的面积：设在他处之内的为 0，因为已在那处计入"
    )
    rooms_area_m2: float = Field(description="各房间面积之和，一间只算一次")
    shared_area_m2: float = Field(description="其中一室多用的房间面积")
    rooms_without_area: int
    by_use: list[UseArea]
    guests: list[UUID] = Field(description="设在本设施之内的其他设施，面积已在本设施计入")
