"""Facilities: what kinds there are, each place, what happened to it, and its dated hours."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from services.facilities.models.base import Base, jsonb, one_of, square_metres, timestamp

CRS = ("WGS-84", "CGCS2000", "GCJ-02", "BD-09")
#: 新建 / 改建 / 扩建 / 换购 / 划拨 / 租借. Source: 吉办发〔2016〕3号, 国办发〔2021〕56号, 运政办发〔2023〕14号.
WAYS_OF_ACQUIRING = ("new-built", "converted", "extended", "exchanged", "allocated", "rented")
#: 自有 / 租用 / 借用; no official list was found.
TENURES = ("owned", "rented", "lent")
#: How a kind of place is met: a place of its own, a room inside one, an open ground, or a point
#: without staff.
FORMS = ("place", "room", "ground", "point")


class FacilityState(StrEnum):
    """设施状态."""

    planned = "planned"  # 规划
    building = "building"  # 在建
    open = "open"  # 启用
    repair = "repair"  # 维修
    closed = "closed"  # 停用


class FacilityType(Base, table=True):
    """设施类型字典: loaded from data/facilities/types.yaml."""

    __tablename__ = "facility_type"
    __table_args__ = (one_of("form", FORMS),)

    code: str = Field(primary_key=True)
    name: str
    group_code: str
    group_name: str
    form: str
    #: 社区综合服务设施 in the sense of the coverage indicators.
    is_comprehensive: bool
    #: Whether 一般不少于每天 8 小时 applies.
    has_daily_hours: bool
    provisional: bool
    source: str
    position: int


class Facility(Base, table=True):
    """One place. Coordinates are degrees WGS 84; `original_crs` says what they were taken in."""

    __tablename__ = "facility"
    __table_args__ = (
        one_of("state", FacilityState),
        one_of("original_crs", CRS),
        one_of("acquired_by", WAYS_OF_ACQUIRING),
        one_of("tenure", TENURES),
        CheckConstraint("last_entry_minutes BETWEEN 0 AND 240", name="last_entry_minutes"),
        CheckConstraint("host_id <> id", name="host"),
        CheckConstraint(
            "least(total_area_m2, activity_area_m2, office_area_m2) >= 0", name="areas"
        ),
        CheckConstraint("activity_area_m2 <= total_area_m2", name="activity_area"),
        CheckConstraint("office_area_m2 <= total_area_m2", name="office_area"),
        CheckConstraint(
            "(latitude IS NULL) = (longitude IS NULL) "
            "AND (latitude IS NULL) = (original_crs IS NULL)",
            name="coordinates",
        ),
        Index("ix_facility_division_code", "division_code", "id"),
        # Plain PostgreSQL: a point, found by the box around a circle.
        Index(
            "ix_facility_place",
            text("point(longitude, latitude)"),
            postgresql_using="gist",
            postgresql_where=text("latitude IS NOT NULL"),
        ),
        Index("ix_facility_facility_type", "facility_type", "division_code", "id"),
        Index(
            "uq_facility_division_code_name",
            "division_code",
            "name",
            unique=True,
            postgresql_where=text("state <> 'closed'"),
        ),
    )

    id: UUID = Field(primary_key=True)
    version: int = 1
    name: str
    facility_type: str = Field(foreign_key="facility_type.code")
    state: str
    division_code: str = Field(foreign_key="division.code")
    address: str
    phone: str | None = None
    total_area_m2: float | None = square_metres()
    activity_area_m2: float | None = square_metres()
    office_area_m2: float | None = square_metres()
    latitude: float | None = None
    longitude: float | None = None
    original_crs: str | None = None
    accessibility: dict[str, bool | None] = jsonb()
    #: Intervals by weekday; null says that nobody recorded them, and is not "closed".
    weekly_hours: dict[str, Any] | None = jsonb(nullable=True)
    #: Parts of the year with hours of their own.
    seasons: list[dict[str, Any]] | None = jsonb(nullable=True)
    #: What the working-day calendar changes; null: nothing, it opens by the week.
    holiday_policy: dict[str, str] | None = jsonb(nullable=True)
    #: 停止取号: minutes before closing.
    last_entry_minutes: int | None = None
    #: As they were taken, in `original_crs`.
    original_latitude: float | None = None
    original_longitude: float | None = None
    #: The place it is inside of: its area is part of that one's.
    host_id: UUID | None = Field(default=None, foreign_key="facility.id", index=True)
    acquired_by: str | None = None
    tenure: str | None = None
    tenure_until: date | None = None
    in_use_since: date | None = None
    contacts: list[dict[str, Any]] | None = jsonb(nullable=True)
    signage: dict[str, Any] | None = jsonb(nullable=True)
    #: 驻区单位共享: whose place it is, and on what terms residents use it.
    sharing: dict[str, Any] | None = jsonb(nullable=True)
    #: Shelters and emergency points: capacity and stock.
    emergency: dict[str, Any] | None = jsonb(nullable=True)
    recorded_at: datetime = timestamp()


class FacilityHistory(Base, table=True):
    """What happened to a facility, with its whole state afterwards; appended, never changed."""

    __tablename__ = "facility_history"

    facility_id: UUID = Field(primary_key=True, foreign_key="facility.id")
    version: int = Field(primary_key=True)
    action: str
    from_state: str | None = None
    to_state: str
    snapshot: dict[str, Any] = jsonb()
    note: str | None = None
    actor_id: UUID
    actor_name: str | None = None
    happened_at: datetime = timestamp()


class HoursException(Base, table=True):
    """A day that breaks the weekly pattern; no intervals means closed all day."""

    __tablename__ = "hours_exception"

    facility_id: UUID = Field(primary_key=True, foreign_key="facility.id")
    day: date = Field(primary_key=True)
    intervals: list[dict[str, str]] = jsonb()
    reason: str
