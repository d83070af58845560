"""The working-day calendar: which years are known, and which days break the weekly pattern."""

from datetime import date

from sqlmodel import Field

from services.evaluation.models.base import Base


class WorkingYear(Base, table=True):
    """Copy of a year's calendar as requests records it: of the country, or a division's own days."""

    __tablename__ = "working_year"

    #: Empty for the whole country.
    division_code: str = Field(primary_key=True)
    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    #: 0 for the published days this service starts with; every record of requests is newer.
    revision: int
    provisional: bool
    source: str


class WorkingDay(Base, table=True):
    """Copy of a day that breaks the weekly pattern, or that a division changes."""

    __tablename__ = "working_day"

    division_code: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    is_working: bool
    label: str = ""
