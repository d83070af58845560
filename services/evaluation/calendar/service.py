"""Limits in working days, and the years they are known for."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.logging import logger
from services.evaluation.calendar import repository
from services.evaluation.calendar.rules import CalendarMissing
from services.evaluation.metrics import CALENDAR_MISSING


async def due_after(session: AsyncSession, start: date, working_days: int) -> date | None:
    """The last day of a limit, or None while a year is missing; the operator is told, not a guess."""
    calendar = await repository.load_from(session, start)
    try:
        return calendar.add(start, working_days)
    except CalendarMissing as missing:
        CALENDAR_MISSING.labels(str(missing.year)).inc()
        logger.error("calendar_year_missing", year=missing.year)
        return None


async def record_years(
    session: AsyncSession, sources: Mapping[int, str], days: Mapping[date, tuple[bool, str]]
) -> None:
    """Record years with their exceptions: day → (is it worked, why)."""
    rows = [
        {"day": day, "is_working": is_working, "note": note}
        for day, (is_working, note) in days.items()
    ]
    await repository.replace_years(session, sources, rows)
