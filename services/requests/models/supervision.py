"""督办, work lists and what is counted of cases."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.requests.models.base import Base, jsonb, timestamp


class SupervisionOrder(Base, table=True):
    """督办单: a unit must say what it does about a case; unanswered it goes one level up."""

    __tablename__ = "supervision_order"
    __table_args__ = (
        CheckConstraint(
            "cause IN ('overdue', 'delivery', 'special-procedure', 'commitment', 'manual')",
            name="cause",
        ),
        CheckConstraint("state IN ('open', 'answered', 'exhausted')", name="state"),
        Index(
            "uq_supervision_order_open",
            "case_id",
            "cause",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_supervision_order_unit", "unit_code", "state", "id"),
        Index("ix_supervision_order_division", "division_code", "state", "id"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="service_case.id")
    cause: str
    level: int = 1
    unit_code: str | None = None
    unit_name: str | None = None
    division_code: str
    what: str
    issued_by: str | None = None
    issued_at: datetime = timestamp()
    reply_by: date | None = None
    state: str = "open"
    reply: str | None = None
    replied_by: str | None = None
    replied_at: datetime | None = timestamp(nullable=True)
    is_late: bool = False


class DurationCount(Base, table=True):
    """How many cases of an item took a unit how long: p50 and p90 are read off it."""

    __tablename__ = "duration_count"

    item_id: UUID = Field(primary_key=True)
    unit_code: str = Field(primary_key=True)
    #: Working days from acceptance to completion.
    days: int = Field(primary_key=True)
    cases: int


class WorkDelta(Base, table=True):
    """A change of the number of open cases, not yet folded into `work_count`."""

    __tablename__ = "work_delta"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    unit_code: str
    township: str
    state: str
    light: str
    cases: int


class WorkCount(Base, table=True):
    """Open cases by unit, township, state and light, as far as they are folded."""

    __tablename__ = "work_count"

    unit_code: str = Field(primary_key=True)
    #: First nine digits of the division.
    township: str = Field(primary_key=True)
    state: str = Field(primary_key=True)
    light: str = Field(primary_key=True)
    cases: int


class WorkFilter(Base, table=True):
    """A work list's filter that somebody keeps."""

    __tablename__ = "work_filter"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: UUID = Field(primary_key=True)
    owner_id: UUID
    name: str
    filter: dict[str, Any] = jsonb()
