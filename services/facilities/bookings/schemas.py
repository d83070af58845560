"""Bookings as the API takes and shows them."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from services.facilities.hours.rules import LOCAL
from services.facilities.hours.schemas import NearMoment
from services.facilities.models import BookingState

#: Shown in local time, as the slots are.
LocalMoment = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(LOCAL))]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]


class ResourceRules(BaseModel):
    """预约规则."""

    model_config = ConfigDict(extra="forbid")

    is_active: bool = True
    capacity: int = Field(default=1, ge=1, le=1000, description="每个时段可约人数")
    slot_minutes: int = Field(default=30, ge=5, le=1440, description="每个时段多少分钟")
    days_ahead: int = Field(default=7, ge=1, le=90, description="可提前几天预约")
    hold_minutes: int = Field(default=15, ge=1, le=1440, description="占位多少分钟内须确认")
    cancel_minutes: int = Field(default=60, ge=0, le=10_080, description="开始前多少分钟停止取消")
    waiting_places: int = Field(default=5, ge=0, le=100, description="候补人数上限；0：不设候补")
    reminder_hours: int = Field(default=24, ge=0, le=168, description="提前几小时提醒；0：不提醒")
    max_open: int = Field(default=3, ge=1, le=50, description="一人在本场所未完成的预约上限")
    no_show_limit: int = Field(default=3, ge=1, le=50, description="爽约几次后停约")
    block_days: int = Field(default=30, ge=1, le=365, description="计算爽约和停约的天数")


class ResourceCreate(ResourceRules):
    """A counter or a room that is to take bookings."""

    counter_id: UUID | None = None
    room_id: UUID | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.counter_id is None) == (self.room_id is None):
            raise ValueError("请写明是哪个窗口或哪个房间，只能选一个")
        return self


class ResourceRead(ResourceRules):
    """A counter or a room that takes bookings."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    version: int
    facility_id: UUID
    facility_name: str
    counter_id: UUID | None
    room_id: UUID | None
    name: str


class SlotRead(BaseModel):
    """One slot of a day; times are local."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    free: int
    waiting: int
    is_bookable: bool


class DaySlots(BaseModel):
    """The slots of a day, by the opening hours of that day."""

    resource_id: UUID
    day: date
    because: str = Field(description="当天开放时间的由来；没有时段时说明为什么")
    items: list[SlotRead]


class BookingCreate(BaseModel):
    """Take a place; it is kept until it must be confirmed."""

    model_config = ConfigDict(extra="forbid")

    resource_id: UUID
    starts_at: NearMoment
    wait: bool = Field(default=False, description="约满时是否候补")


class Rebooking(BaseModel):
    """Another slot in place of one that a change of hours took back."""

    model_config = ConfigDict(extra="forbid")

    resource_id: UUID | None = Field(default=None, description="换到哪个窗口或房间；不写：原来的")
    starts_at: NearMoment
    wait: bool = Field(default=False, description="约满时是否候补；排在最前面")


class Restoration(BaseModel):
    """What the resident should know: where to knock."""

    model_config = ConfigDict(extra="forbid")

    note: Reason | None = Field(default=None, description="告诉本人的话，如：请走侧门")


class Cancellation(BaseModel):
    """Why; a place that cancels must say so."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason | None = None


class BookingEntry(BaseModel):
    """A booking as the counter sees it: a code, and nobody's name."""

    id: UUID
    version: int
    code: str = Field(description="到场时出示")
    resource_id: UUID
    resource_name: str
    facility_id: UUID
    facility_name: str
    address: str
    state: BookingState
    starts_at: LocalMoment
    ends_at: LocalMoment
    expires_at: LocalMoment | None = Field(description="须在此之前确认")
    displaced_because: str | None = Field(description="因场所时间调整取消的原因")
    rebook_until: LocalMoment | None = Field(description="在此之前可以优先改约")
    is_kept: bool = Field(description="时间调整后场所仍然办理")


class BookingRead(BookingEntry):
    """A booking as its resident sees it."""

    waiting_position: int | None = Field(default=None, description="候补的第几位")
    replaces_id: UUID | None = Field(description="由哪个预约改约而来")


class CounterBooking(BookingEntry):
    """A booking in the list of a counter."""

    is_outside_hours: bool = Field(description="这个时段不在当天的开放时间之内")


class DisplacedBooking(BookingEntry):
    """A booking that a change of hours took back, and what stands in its place."""

    new_code: str | None = Field(description="改约后的预约码；null：尚未改约")
    new_state: BookingState | None
    new_starts_at: LocalMoment | None


class BookingVersion(BaseModel):
    """One entry in the history of a booking."""

    version: int
    action: str
    from_state: BookingState | None
    to_state: BookingState
    by: str = Field(description="本人、工作人员或系统")
    note: str | None
    happened_at: datetime
