"""Queries of the calendar: a copy of what requests records, for the country and for divisions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import any_, delete, extract, insert, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.evaluation.calendar.rules import WorkingCalendar
from services.evaluation.models import WorkingDay, WorkingYear

#: Stands for the whole country.
COUNTRY = ""
_KEEP_YEAR = text(
    "INSERT INTO working_year AS y (division_code, year, revision, provisional, source) "
    "VALUES (:division_code, :year, :revision, :provisional, :source) "
    "ON CONFLICT (division_code, year) DO UPDATE SET revision = excluded.revision, "
    "provisional = excluded.provisional, source = excluded.source "
    "WHERE y.revision < excluded.revision OR y.revision = 0 AND excluded.revision = 0 "
    "RETURNING year"
)


async def load_from(
    session: AsyncSession, first: date, divisions: Sequence[str]
) -> WorkingCalendar:
    """The calendar from a day on, for the last of `divisions`; limits never look back.

    `divisions` goes from the highest to the lowest: what a lower one says of a day holds.
    """
    places = [COUNTRY, *divisions]
    years = await session.scalars(
        select(col(WorkingYear.year)).where(
            col(WorkingYear.year) >= first.year, col(WorkingYear.division_code) == COUNTRY
        )
    )
    days = await session.execute(
        select(
            col(WorkingDay.division_code), col(WorkingDay.day), col(WorkingDay.is_working)
        ).where(
            col(WorkingDay.day) >= first,
            col(WorkingDay.division_code) == any_(literal(places, ARRAY(TEXT))),
        )
    )
    order = {place: number for number, place in enumerate(places)}
    rows = sorted(days, key=lambda row: order[row.division_code])
    return WorkingCalendar(frozenset(years), {row.day: row.is_working for row in rows})


async def keep_year(
    session: AsyncSession,
    values: Mapping[str, Any],
    days: Iterable[tuple[date, bool, str]],
) -> bool:
    """Write a whole year of a place in place of what was there; False when a newer one is."""
    if (await session.execute(_KEEP_YEAR, values)).first() is None:
        return False
    place = values["division_code"]
    await session.execute(
        delete(WorkingDay).where(
            col(WorkingDay.division_code) == place,
            extract("year", col(WorkingDay.day)) == values["year"],
        )
    )
    rows = [
        {"division_code": place, "day": day, "is_working": is_working, "label": label}
        for day, is_working, label in days
    ]
    if rows:
        await session.execute(insert(WorkingDay), rows)
    return True
