"""系统默认评价: a job that rates by default what nobody rated in time, where a region wants it."""

import asyncio

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from contracts.values import RatingLevel
from servicekit.database import Database
from servicekit.logging import logger
from services.evaluation.ratings.service import give_one_default

IDLE_SECONDS = 60.0


async def rate_by_default(level: RatingLevel, database: Database) -> None:
    """Rate until cancelled; a lost database is waited for."""
    while True:
        try:
            await rate_all_silent(level, database)
        except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
            logger.warning("default_ratings_wait", error=repr(error))
        await asyncio.sleep(IDLE_SECONDS)


async def rate_all_silent(level: RatingLevel, database: Database) -> int:
    """Rate everything that is due; return how many.

    Concurrency: one service per transaction, so that score rows are never held in two orders.
    """
    rated = 0
    while True:
        async with database.transaction() as session:
            if not await give_one_default(session, level):
                break
        database.nudge_relay()
        rated += 1
    return rated
