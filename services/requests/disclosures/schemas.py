"""Disclosures as the API takes and shows them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class DisclosureCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=4, max_length=200, description="查看理由，本人可以看到")


class Disclosure(BaseModel):
    """申请人信息，未遮盖。"""

    applicant_name: str
    identity_number: str
    mobile: str
    answers: dict[str, Any]


class AccessRead(BaseModel):
    """谁在什么时候因为什么看了我的信息。"""

    id: UUID
    viewer_name: str | None
    viewer_unit: str | None
    record: str
    fields: list[str]
    reason: str
    seen_at: datetime
