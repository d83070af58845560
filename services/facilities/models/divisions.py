"""Divisions, and what is counted of the communities among them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from contracts.values import DivisionLevel
from services.facilities.models.base import Base, one_of, square_metres, timestamp

COMMUNITY_KINDS = ("village", "urban_community")


class Division(Base, table=True):
    """行政区划: a node of the 12-digit tree; a closed one keeps its row and its last day."""

    __tablename__ = "division"
    __table_args__ = (
        one_of("level", DivisionLevel),
        one_of("community_kind", COMMUNITY_KINDS),
        CheckConstraint("code ~ '^[0-9]{12}$'", name="code"),
        CheckConstraint("(level = 'province') = (parent_code IS NULL)", name="parent"),
        CheckConstraint("(level = 'community') = (community_kind IS NOT NULL)", name="kind"),
        Index("ix_division_parent_code", "parent_code", "code"),
        Index("ix_division_level", "level", "code"),
    )

    code: str = Field(primary_key=True)
    name: str
    level: str
    parent_code: str | None = Field(default=None, foreign_key="division.code")
    community_kind: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    source: str
    #: Whether other services are told of it: those of the area that is served.
    is_published: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    version: int = 1
    recorded_at: datetime = timestamp()


class Community(Base, table=True):
    """A village or an urban community: the division of the lowest level, as a subject of figures."""

    __tablename__ = "community"

    code: str = Field(primary_key=True, foreign_key="division.code")
    recorded_at: datetime = timestamp()


class _Figures(Base):
    """What is counted once a year; null says that nobody counted, and is never zero."""

    households: int | None = None
    residents: int | None = None
    floor_area_m2: float | None = square_metres()
    workers: int | None = None
    certified_workers: int | None = None
    social_organisations: int | None = None
    is_resettlement: bool | None = None
    has_deliberation_list: bool | None = None
    has_work_list: bool | None = None
    has_assessment_list: bool | None = None
    has_seal_list: bool | None = None
    security_members: int | None = None
    has_unified_forms: bool | None = None
    has_online_service: bool | None = None
    source: str
    recorded_by: UUID
    recorded_by_name: str | None = None
    recorded_at: datetime = timestamp()


class CommunityFigures(_Figures, table=True):
    """年度数据: the figures of a community for one year, as they stand."""

    __tablename__ = "community_figures"
    __table_args__ = (
        CheckConstraint("certified_workers <= workers", name="certified_workers"),
        CheckConstraint(
            "least(households, residents, floor_area_m2, workers, certified_workers, "
            "social_organisations) >= 0",
            name="not_negative",
        ),
        CheckConstraint("security_members >= 0", name="security_members"),
    )

    community_code: str = Field(primary_key=True, foreign_key="community.code")
    year: int = Field(primary_key=True)
    version: int = 1


class CommunityFiguresHistory(_Figures, table=True):
    """Every version the figures of a year went through; appended, never changed."""

    __tablename__ = "community_figures_history"

    community_code: str = Field(primary_key=True, foreign_key="community.code")
    year: int = Field(primary_key=True)
    version: int = Field(primary_key=True)
