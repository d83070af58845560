"""Submissions as the API takes and shows them."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.values import (
    Channel,
    DivisionCode,
    IdentityNumber,
    ItemCode,
    MobileNumber,
    TimeUnit,
)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ApplicantBody(Strict):
    """申请人。"""

    name: str = Field(min_length=2, max_length=50)
    identity_number: IdentityNumber
    mobile: MobileNumber


class MaterialBody(Strict):
    """一份材料；纸质的交到窗口或寄送。"""

    code: str = Field(max_length=60)
    form: Literal["electronic", "paper"] = "paper"


class ItemBody(Strict):
    """要办的一个事项。"""

    item_code: ItemCode
    answers: dict[str, Any] = Field(default_factory=dict)
    materials: list[MaterialBody] = Field(default_factory=list, max_length=50)


class RequestCreate(Strict):
    """一次申请：可以同时办几个事项。"""

    division_code: DivisionCode = Field(description="申请人所在村（社区）的区划代码")
    channel: Channel
    applicant: ApplicantBody
    items: list[ItemBody] = Field(min_length=1, max_length=20)


class UnitRef(BaseModel):
    code: str
    name: str


class MaterialRef(BaseModel):
    code: str
    name: str


class ReceiptCase(BaseModel):
    """收件回执中的一个办件。"""

    id: UUID
    number: str
    item_code: ItemCode
    item_name: str
    item_version: int
    unit: UnitRef | None = Field(description="办理单位；null 表示等待人工派单")
    state: str
    promised_days: int
    promised_unit: TimeUnit
    due_on: date | None = Field(description="承诺办结日；null 表示当年工作日历尚未公布")
    due_is_provisional: bool
    materials_missing: list[MaterialRef]


class Receipt(BaseModel):
    """收件回执。"""

    id: UUID
    number: str
    submitted_at: datetime
    received_on: date | None
    clock_note: str
    cases: list[ReceiptCase]


class RequestRead(BaseModel):
    """我的申请。"""

    id: UUID
    number: str
    division_code: DivisionCode
    channel: Channel
    submitted_at: datetime
    received_on: date | None
    cases: list[dict[str, Any]]
