"""What intake must know and another service owns, and the reference data of this service."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field

from services.requests.models.base import Base, jsonb, timestamp


class CopyRevision(Base, table=True):
    """How often a local copy or reference table changed: API processes reload when it moves."""

    __tablename__ = "copy_revision"

    copy_name: str = Field(primary_key=True)
    revision: int = 0


class CatalogueItem(Base, table=True):
    """Local copy of the catalogue: the newest state of each item."""

    __tablename__ = "catalogue_item"
    __table_args__ = (
        CheckConstraint("status IN ('published', 'paused', 'retired')", name="status"),
    )

    item_id: UUID = Field(primary_key=True)
    item_code: str = Field(index=True)
    version: int
    status: str
    state: dict[str, Any] = jsonb()
    #: Of the catalogue at this change: decides which of two states is the newer.
    revision: int = Field(
        default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")}
    )
    recorded_at: datetime = timestamp()


class CatalogueBundle(Base, table=True):
    """Local copy of 高效办成一件事: the newest state of each bundle."""

    __tablename__ = "catalogue_bundle"

    bundle_id: UUID = Field(primary_key=True)
    bundle_code: str = Field(index=True)
    is_open: bool
    state: dict[str, Any] = jsonb()
    revision: int = Field(sa_type=BigInteger)


class Division(Base, table=True):
    """Local copy of the divisions."""

    __tablename__ = "division"

    code: str = Field(primary_key=True)
    name: str
    valid_until: date | None = None
    recorded_at: datetime = timestamp()


class Unit(Base, table=True):
    """办理单位: a department at a division, `<division>:<department>`."""

    __tablename__ = "unit"

    code: str = Field(primary_key=True)
    division_code: str = Field(index=True)
    department: str
    name: str
    provisional: bool = True


class RoutingRuleSet(Base, table=True):
    """A version of the routing rules; exactly one is active."""

    __tablename__ = "routing_rule_set"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'scheduled', 'active', 'retired')", name="state"),
        Index(
            "uq_routing_rule_set_active",
            "state",
            unique=True,
            postgresql_where=text("state = 'active'"),
        ),
    )

    version: int = Field(primary_key=True)
    state: str
    note: str
    rules: list[dict[str, Any]] = jsonb()
    activated_at: datetime | None = timestamp(nullable=True)
    #: When a scheduled version takes over.
    activates_at: datetime | None = timestamp(nullable=True)
    #: Grows with every change of a draft.
    edit: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})


class RoutingActivation(Base, table=True):
    """Which version took over from which, when and by whom: the way back."""

    __tablename__ = "routing_activation"

    id: UUID = Field(primary_key=True)
    version: int
    replaced: int | None = None
    note: str
    actor_name: str | None = None
    activated_at: datetime = timestamp()


class CalendarYear(Base, table=True):
    """A year whose working days are known; `provisional` while the State Council has not ruled."""

    __tablename__ = "calendar_year"

    year: int = Field(primary_key=True)
    source: str
    provisional: bool = False
    #: How often the year was told to others; 0 while nobody has been.
    revision: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})


class CalendarCorrection(Base, table=True):
    """更正: the days of a year that changed, and how far the open cases have followed."""

    __tablename__ = "calendar_correction"

    id: UUID = Field(primary_key=True)
    #: None: the whole country.
    division_code: str | None = None
    year: int
    source: str
    first_day: date
    last_day: date
    #: Cases up to this one have followed.
    after_case_id: UUID | None = None
    moved: int = 0
    recorded_at: datetime = timestamp()
    finished_at: datetime | None = timestamp(nullable=True)


class CalendarDay(Base, table=True):
    """A day that breaks the weekly pattern: a holiday on a weekday or a working weekend day (调休)."""

    __tablename__ = "calendar_day"

    day: date = Field(primary_key=True)
    is_working: bool
    note: str


class ClockPolicySetting(Base, table=True):
    """亮灯和督办: what a division has set for itself and all below it."""

    __tablename__ = "clock_policy"

    division_code: str = Field(primary_key=True)
    yellow_days: int
    reply_days: list[int] = jsonb()


class LocalCalendarYear(Base, table=True):
    """A division's own days in a year, on top of the country's: a festival, a closed office."""

    __tablename__ = "local_calendar_year"

    division_code: str = Field(primary_key=True)
    year: int = Field(primary_key=True)
    source: str
    revision: int = 0


class LocalCalendarDay(Base, table=True):
    """A day that is worked otherwise in a division than in the country."""

    __tablename__ = "local_calendar_day"

    division_code: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    is_working: bool
    note: str
