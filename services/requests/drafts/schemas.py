"""Drafts as the API takes and shows them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.values import ItemCode


class DraftWrite(BaseModel):
    """填到一半的申请；内容不检查，提交时再检查。"""

    model_config = ConfigDict(extra="forbid")

    item_codes: list[ItemCode] = Field(default_factory=list, max_length=20)
    body: dict[str, Any] = Field(description="与提交申请的内容同形，可以不完整")


class DraftSummary(BaseModel):
    id: UUID
    item_codes: list[ItemCode]
    version: int
    updated_at: datetime
    expires_at: datetime = Field(description="到期自动删除；修改后重新计算")


class DraftRead(DraftSummary):
    """草稿，只有本人看得到。"""

    body: dict[str, Any]
