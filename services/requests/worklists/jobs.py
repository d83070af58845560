"""Beside the worker: changes of the counts are folded, so that they stay few."""

import asyncio

from servicekit.database import DATABASE_ERRORS, Database
from servicekit.logging import logger
from services.requests.worklists.repository import fold_deltas

FOLD_SECONDS = 2.0
FOLDED_AT_ONCE = 5_000


async def fold(database: Database) -> None:
    """Fold until cancelled; a lost database is waited for."""
    while True:
        folded = 0
        try:
            async with database.transaction() as session:
                folded = await fold_deltas(session, FOLDED_AT_ONCE)
        except DATABASE_ERRORS as error:
            logger.warning("fold_failed", error=repr(error))
        if folded < FOLDED_AT_ONCE:
            await asyncio.sleep(FOLD_SECONDS)
