"""The working-day calendar: which years are known, and which days break the weekly pattern."""

from datetime import date

from sqlmodel import Field

from services.evaluation.models.base import Base


class CalendarYear(Base, table=True):
    """A year whose holidays are recorded; a date in any other year is unknown, never guessed."""

    __tablename__ = "calendar_year"

    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    source: str


class CalendarDay(Base, table=True):
    """A weekday off (放假) or a worked weekend day (调休上班)."""

    __tablename__ = "calendar_day"

    day: date = Field(primary_key=True)
    is_working: bool
    note: str = ""
