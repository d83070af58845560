"""Local copies of divisions and of their communities' yearly figures, kept by events of facilities."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field

from services.evaluation.models.base import Base, timestamp


class Division(Base, table=True):
    """行政区划 as facilities last told it; a closed one stays, with its last day."""

    __tablename__ = "division"
    __table_args__ = (
        Index("ix_division_level", "level", "code", postgresql_ops={"code": "text_pattern_ops"}),
    )

    code: str = Field(primary_key=True)
    name: str
    level: str
    parent_code: str | None = None
    #: `village` or `urban_community`; null above.
    community_kind: str | None = None
    valid_until: date | None = None
    recorded_at: datetime = timestamp()


class CommunityFigures(Base, table=True):
    """社区年度数据: households and residents of one village or community in one year."""

    __tablename__ = "community_figures"

    code: str = Field(primary_key=True)
    year: int = Field(primary_key=True)
    households: int | None = None
    residents: int | None = None
    revision: int
