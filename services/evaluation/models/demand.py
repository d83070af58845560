"""Demand: what residents asked for and did not find, counted by month, place and topic."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.evaluation.models.base import Base, number, one_of, timestamp


class NeedKind(StrEnum):
    """What a wish asks for."""

    service = "service"
    facility = "facility"


class NeedCount(Base, table=True):
    """How often something was asked for in one place in one month; without who."""

    __tablename__ = "need_count"
    __table_args__ = (Index("ix_need_count_listing", "month", "listed_for"),)

    #: First day of the month.
    month: date = Field(primary_key=True)
    #: Where it was asked for: a village, or a higher division when none was named.
    division_code: str = Field(primary_key=True)
    #: Folded width and case, without spaces: as search reads a query.
    topic: str = Field(primary_key=True)
    #: The county whose list it goes into; the division itself above counties.
    listed_for: str
    searches: int = number()
    wishes: int = number()
    refusals: int = number()
    #: Of the wishes: how many said that it is a service, or a place, that is missing.
    service_wishes: int = number()
    facility_wishes: int = number()


class Wish(Base, table=True):
    """心愿: what a resident wishes for; staff see the counts, not who wished."""

    __tablename__ = "wish"
    __table_args__ = (
        one_of("kind", NeedKind),
        UniqueConstraint("resident_id", "month", "division_code", "topic"),
    )

    id: UUID = Field(primary_key=True)
    resident_id: UUID
    month: date
    division_code: str
    topic: str
    kind: str | None = None
    #: In the resident's own words, encrypted.
    detail: str | None = None
    wished_at: datetime = timestamp()


class NeedList(Base, table=True):
    """未满足需求清单 of one county and month, as it was told; never changed."""

    __tablename__ = "need_list"
    __table_args__ = (UniqueConstraint("division_code", "month"),)

    id: UUID = Field(primary_key=True)
    division_code: str
    month: date
    needs: list[dict[str, Any]] = Field(sa_type=JSONB)
    listed_at: datetime = timestamp()
