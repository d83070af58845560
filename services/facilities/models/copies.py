"""Local copies of what other services own: catalogue items, working-day calendars, surveys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from services.facilities.models.base import Base, jsonb, one_of, timestamp

ITEM_STATUSES = ("published", "paused", "retired")


class CatalogueItem(Base, table=True):
    """事项, as the catalogue last told."""

    __tablename__ = "catalogue_item"
    __table_args__ = (
        one_of("status", ITEM_STATUSES),
        Index("ix_catalogue_item_item_code", "item_code"),
    )

    item_id: UUID = Field(primary_key=True)
    item_code: str
    name: str
    status: str
    #: The subtree in which it is offered.
    division_code: str
    state: dict[str, Any] = jsonb()
    revision: int
    recorded_at: datetime = timestamp()


class CalendarYear(Base, table=True):
    """工作日历 of a year, of the country (`CN`) or of one division."""

    __tablename__ = "calendar_year"

    calendar_key: str = Field(primary_key=True)
    division_code: str | None = Field(default=None, index=True)
    year: int
    provisional: bool
    #: `{"day", "is_working", "label"}` for each day that breaks the weekly pattern.
    days: list[dict[str, Any]] = jsonb()
    revision: int
    recorded_at: datetime = timestamp()


class CommunitySurvey(Base, table=True):
    """满意度调查: how far one village or community has been asked in one year."""

    __tablename__ = "community_survey"

    division_code: str = Field(primary_key=True)
    year: int = Field(primary_key=True)
    sampled: int
    answered: int
    #: At least one household has answered.
    is_covered: bool
    revision: int
    recorded_at: datetime = timestamp()
