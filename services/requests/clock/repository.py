"""Queries of the calendar."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.requests.clock.calendars import Calendars
from services.requests.clock.policies import ClockPolicy, Policies
from services.requests.clock.rules import WorkingCalendar
from services.requests.clock.schemas import (
    CalendarDayBody,
    CalendarYearRead,
    CalendarYearWrite,
    ClockPolicyBody,
)
from services.requests.models import (
    CalendarCorrection,
    CalendarDay,
    CalendarYear,
    ClockPolicySetting,
    LocalCalendarDay,
    LocalCalendarYear,
)

L, P = LocalCalendarDay, ClockPolicySetting


async def load_calendars(session: AsyncSession) -> Calendars:
    """All years of the country and of every division."""
    years = await session.execute(select(col(CalendarYear.year), col(CalendarYear.provisional)))
    known = {row[0]: row[1] for row in years}
    days = await session.execute(select(col(CalendarDay.day), col(CalendarDay.is_working)))
    national = WorkingCalendar(
        frozenset(known),
        {row[0]: row[1] for row in days},
        frozenset(year for year, provisional in known.items() if provisional),
    )
    local: dict[str, dict[date, bool]] = {}
    rows = await session.execute(select(col(L.division_code), col(L.day), col(L.is_working)))
    for division_code, day, is_working in rows:
        local.setdefault(division_code, {})[day] = is_working
    return Calendars(national, local)


async def load_policies(session: AsyncSession) -> Policies:
    """What every division has set for itself."""
    columns = (col(P.division_code), col(P.yellow_days), col(P.reply_days))
    rows = await session.execute(select(*columns))
    return Policies({row[0]: ClockPolicy(row[1], tuple(row[2])) for row in rows})


async def set_policy(session: AsyncSession, division_code: str, body: ClockPolicyBody) -> None:
    """Write what a division sets for itself."""
    values = body.model_dump()
    statement = upsert(P).values(division_code=division_code, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["division_code"], set_=values)
    )


async def find_year(session: AsyncSession, year: int) -> CalendarYearRead | None:
    """One year with its days, or None."""
    columns = (
        col(CalendarYear.source),
        col(CalendarYear.provisional),
        col(CalendarYear.revision),
    )
    row = (
        await session.execute(select(*columns).where(col(CalendarYear.year) == year))
    ).one_or_none()
    if row is None:
        return None
    days = await session.execute(
        select(col(CalendarDay.day), col(CalendarDay.is_working), col(CalendarDay.note))
        .where(_within(CalendarDay.day, year))
        .order_by(col(CalendarDay.day))
    )
    return _year(year, None, row.source, row.provisional, row.revision, days.all())


async def find_local_year(
    session: AsyncSession, division_code: str, year: int
) -> CalendarYearRead | None:
    """A division's own days in a year, or None."""
    columns = (col(LocalCalendarYear.source), col(LocalCalendarYear.revision))
    here = (
        col(LocalCalendarYear.division_code) == division_code,
        col(LocalCalendarYear.year) == year,
    )
    row = (await session.execute(select(*columns).where(*here))).one_or_none()
    if row is None:
        return None
    days = await session.execute(
        select(col(L.day), col(L.is_working), col(L.note))
        .where(col(L.division_code) == division_code, _within(L.day, year))
        .order_by(col(L.day))
    )
    return _year(year, division_code, row.source, False, row.revision, days.all())


async def list_untold_years(session: AsyncSession) -> Sequence[int]:
    """Years that were recorded before anybody was told of such things."""
    statement = select(col(CalendarYear.year)).where(col(CalendarYear.revision) == 0)
    return (await session.scalars(statement.order_by(col(CalendarYear.year)))).all()


async def mark_told(session: AsyncSession, year: int) -> None:
    """The first telling of a year."""
    await session.execute(
        update(CalendarYear).where(col(CalendarYear.year) == year).values(revision=1)
    )


async def replace_year(session: AsyncSession, year: int, body: CalendarYearWrite) -> None:
    """Write a year and its days in place of what was there."""
    statement = upsert(CalendarYear).values(
        year=year, source=body.source, provisional=body.provisional, revision=1
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["year"],
            set_={
                "source": body.source,
                "provisional": body.provisional,
                "revision": CalendarYear.revision + 1,
            },
        )
    )
    await session.execute(delete(CalendarDay).where(_within(CalendarDay.day, year)))
    if body.days:
        await session.execute(insert(CalendarDay), [entry.model_dump() for entry in body.days])


async def replace_local_year(
    session: AsyncSession, division_code: str, year: int, body: CalendarYearWrite
) -> None:
    """Write a division's own days of a year in place of what was there."""
    statement = upsert(LocalCalendarYear).values(
        division_code=division_code, year=year, source=body.source, revision=1
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["division_code", "year"],
            set_={"source": body.source, "revision": LocalCalendarYear.revision + 1},
        )
    )
    await session.execute(
        delete(L).where(col(L.division_code) == division_code, _within(L.day, year))
    )
    rows = [{"division_code": division_code, **entry.model_dump()} for entry in body.days]
    if rows:
        await session.execute(insert(L), rows)


async def add_correction(session: AsyncSession, row: dict[str, Any]) -> None:
    """Note days that changed."""
    await session.execute(insert(CalendarCorrection).values(**row))


async def find_correction(session: AsyncSession, correction_id: UUID) -> Any | None:
    """A correction and how far the cases have followed."""
    statement = select(CalendarCorrection.__table__).where(  # type: ignore[attr-defined]
        col(CalendarCorrection.id) == correction_id
    )
    return (await session.execute(statement)).one_or_none()


async def advance_correction(session: AsyncSession, correction_id: UUID, **values: Any) -> None:
    """Note how far the cases have followed."""
    statement = update(CalendarCorrection).where(col(CalendarCorrection.id) == correction_id)
    await session.execute(statement.values(**values))


def _year(
    year: int,
    division_code: str | None,
    source: str,
    provisional: bool,
    revision: int,
    days: Sequence[Any],
) -> CalendarYearRead:
    return CalendarYearRead(
        year=year,
        division_code=division_code,
        source=source,
        provisional=provisional,
        revision=revision,
        days=[CalendarDayBody(day=d.day, is_working=d.is_working, note=d.note) for d in days],
    )


def _within(day: Any, year: int) -> Any:
    return col(day).between(date(year, 1, 1), date(year, 12, 31))
