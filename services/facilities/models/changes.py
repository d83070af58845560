"""How divisions were renamed, merged and split, and how far counties reach."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from services.facilities.models.base import Base, one_of, timestamp

CHANGE_KINDS = ("found", "rename", "merge", "split", "recode", "close")
SIDES = ("before", "after")


class DivisionChange(Base, table=True):
    """区划变更: what was ordered, from which day on; appended, never changed."""

    __tablename__ = "division_change"
    __table_args__ = (one_of("kind", CHANGE_KINDS),)

    id: UUID = Field(primary_key=True)
    kind: str
    effective_on: date
    #: The document that orders it.
    ordered_by: str
    recorded_by: UUID
    recorded_by_name: str | None = None
    recorded_at: datetime = timestamp()


class DivisionChangePart(Base, table=True):
    """A division before or after a change, under the name it had then."""

    __tablename__ = "division_change_part"
    __table_args__ = (
        one_of("side", SIDES),
        Index("ix_division_change_part_code", "code", "side"),
    )

    change_id: UUID = Field(primary_key=True, foreign_key="division_change.id")
    side: str = Field(primary_key=True)
    code: str = Field(primary_key=True, foreign_key="division.code")
    name: str


class DivisionExtent(Base, table=True):
    """How far a county reaches: a box in degrees WGS 84, with where it was taken from."""

    __tablename__ = "division_extent"
    __table_args__ = (CheckConstraint("south <= north AND west <= east", name="box"),)

    division_code: str = Field(primary_key=True, foreign_key="division.code")
    south: float
    west: float
    north: float
    east: float
    source: str
    version: int = 1
    recorded_by: UUID
    recorded_at: datetime = timestamp()
