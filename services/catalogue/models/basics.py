"""基本目录: the unified entries that a division's items are based on."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from services.catalogue.models.base import Base, jsonb, one_of, written_at


class BasicState(StrEnum):
    """Whether items may still be based on an entry."""

    in_use = "in-use"
    cancelled = "cancelled"


class BasicItem(Base, table=True):
    """An entry of the 基本目录 as a division keeps it."""

    __tablename__ = "basic_item"
    __table_args__ = (
        UniqueConstraint("division_code", "basic_code"),
        CheckConstraint(one_of("state", BasicState), name="state"),
    )

    id: UUID = Field(primary_key=True)
    division_code: str
    basic_code: str = Field(index=True)
    state: str
    #: Grows with every change; travels as ETag and If-Match.
    version: int
    name: str
    content: dict[str, Any] = jsonb()
    created_at: datetime = written_at()
    changed_at: datetime = written_at()


class BasicItemHistory(Base, table=True):
    """Who changed an entry to what, and why; append-only."""

    __tablename__ = "basic_item_history"

    id: UUID = Field(primary_key=True)
    basic_item_id: UUID = Field(foreign_key="basic_item.id", index=True)
    action: str
    version: int
    state: str
    content: dict[str, Any] = jsonb()
    actor: str
    actor_name: str | None = None
    reason: str | None = None
    happened_at: datetime = written_at()
