"""Notices as the API shows them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class NoticeRead(BaseModel):
    """One notice of the caller."""

    id: UUID
    template: str = Field(description="通知种类")
    title: str
    body: str
    request_number: str | None
    case_number: str | None
    created_at: datetime
    read_at: datetime | None = Field(description="null：未读")


class UnreadCount(BaseModel):
    unread: int


class MarkedRead(BaseModel):
    """How many notices became read."""

    marked: int
