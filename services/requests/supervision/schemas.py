"""Supervision orders as the API shows and takes them."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=4, max_length=500)]
OrderState = Literal["open", "answered", "exhausted"]


class OrderWrite(BaseModel):
    """督办：要求办理单位说明情况。"""

    model_config = ConfigDict(extra="forbid")

    what: Text


class ReplyWrite(BaseModel):
    """督办回复。"""

    model_config = ConfigDict(extra="forbid")

    reply: Text


class OrderRead(BaseModel):
    """督办单。level 1 督办单位，2 起逐级上报。"""

    id: UUID
    case_id: UUID
    case_number: str
    item_name: str
    cause: str
    level: int
    unit_code: str | None
    unit_name: str | None
    what: str
    issued_by: str | None
    issued_at: datetime
    reply_by: date | None
    state: OrderState
    reply: str | None
    replied_by: str | None
    replied_at: datetime | None
    is_late: bool


class OrderIssued(BaseModel):
    id: UUID
    reply_by: date | None
