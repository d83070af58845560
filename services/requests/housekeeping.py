"""Beside the worker: rows that say nothing any more are forgotten."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import DATABASE_ERRORS, Database
from servicekit.logging import logger
from services.requests.claims.rules import WINDOW

SECONDS = 3600.0
#: A correction all cases have followed is looked up for as long as its year is worked with.
CORRECTION_DAYS = 400
_ATTEMPTS = text("DELETE FROM claim_attempt WHERE counted_from < now() - CAST(:window AS interval)")
_CORRECTIONS = text(
    "DELETE FROM calendar_correction WHERE finished_at < now() - make_interval(days => :days)"
)


async def forget(session: AsyncSession) -> None:
    """Forget tries of claims that no longer count, and corrections of calendars long followed."""
    await session.execute(_ATTEMPTS, {"window": WINDOW})
    await session.execute(_CORRECTIONS, {"days": CORRECTION_DAYS})


async def keep_house(database: Database) -> None:
    """Forget every hour until cancelled; a lost database is waited for."""
    while True:
        try:
            async with database.transaction() as session:
                await forget(session)
        except DATABASE_ERRORS as error:
            logger.warning("housekeeping_failed", error=repr(error))
        await asyncio.sleep(SECONDS)
