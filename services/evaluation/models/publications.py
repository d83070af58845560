"""Published score tables: what everybody may see of divisions, with small numbers withheld."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.evaluation.models.base import Base, timestamp


class ScoreTable(Base, table=True):
    """评价公开 of one county and period; never changed: two versions would tell the difference."""

    __tablename__ = "score_table"
    __table_args__ = (UniqueConstraint("division_code", "grain", "day"),)

    id: UUID = Field(primary_key=True)
    division_code: str
    #: `month` or `year`.
    grain: str
    #: The first day of the period.
    day: date
    #: What fewer ratings than this were withheld, as configured at the time.
    minimum: int
    rows: list[dict[str, Any]] = Field(sa_type=JSONB)
    published_by: UUID
    published_at: datetime = timestamp()
