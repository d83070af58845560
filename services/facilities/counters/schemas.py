"""Counters as the API takes and shows them."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.facilities.facilities.schemas import Name
from services.facilities.hours.schemas import WeeklyHours


def _each_once(items: list[UUID]) -> list[UUID]:
    if len(set(items)) != len(items):
        raise ValueError("同一事项只写一次")
    return items


class CounterFields(BaseModel):
    """A counter without what it takes."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["3 号综合窗口"])
    is_open: bool = Field(default=True, description="是否启用")
    weekly_hours: WeeklyHours | None = Field(
        default=None, description="与设施开放时间不同时填写；null：与设施相同"
    )


class CounterWrite(CounterFields):
    """一个窗口和它受理的事项。"""

    items: Annotated[list[UUID], Field(max_length=500), AfterValidator(_each_once)] = Field(
        description="受理的事项（item_id）"
    )


class CounterItemRead(BaseModel):
    """An item that a counter takes, as the catalogue last told."""

    item_id: UUID
    item_code: str
    name: str
    status: Literal["published", "paused", "retired"] = Field(
        description="paused、retired 的事项此刻不能办理"
    )


class CounterRead(CounterFields):
    """A counter with what it takes."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    items: list[CounterItemRead]
