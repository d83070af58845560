"""Doubts and staff numbers as the API takes and shows them."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.values import MobileNumber, RatingLevel, UnitCode
from services.evaluation.models import Detector, FlagState, StaffNumberKind

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=1000)]
DeviceId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._-]{8,128}$")]


class FlagRead(BaseModel):
    """One doubt about one rating; who rated is not told."""

    id: UUID
    rating_id: UUID
    unit_code: str | None
    detector: Detector
    detail: dict[str, Any]
    level: RatingLevel
    given_on: date
    state: FlagState
    flagged_on: date
    reviewed_by_name: str | None
    reviewed_unit: str | None


class FlagReview(BaseModel):
    """复核: kept as it is, or excluded."""

    model_config = ConfigDict(extra="forbid")

    keep: bool = Field(description="true 保留计入，false 不计入")
    reason: Reason


class FlagStanding(BaseModel):
    """What became of a doubt."""

    id: UUID
    rating_id: UUID
    state: FlagState


class StaffNumberCreate(BaseModel):
    """One number of a unit's staff: a mobile, a device or a resident's account."""

    model_config = ConfigDict(extra="forbid")

    unit_code: UnitCode
    mobile: MobileNumber | None = None
    device: DeviceId | None = None
    account_id: UUID | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "StaffNumberCreate":
        if sum(value is not None for value in (self.mobile, self.device, self.account_id)) != 1:
            raise ValueError("手机号、设备标识、账号三者填一项")
        return self


class StaffNumberRead(BaseModel):
    """That a number is kept; not which one."""

    id: UUID
    unit_code: str
    kind: StaffNumberKind
    added_at: datetime


class StaffNumberList(BaseModel):
    """In the order they were added."""

    items: list[StaffNumberRead]
