"""The job that tells each county's list of unmet needs once its month is over."""

import asyncio

from servicekit.database import DATABASE_ERRORS, Database
from servicekit.logging import logger
from servicekit.outbox import now
from services.evaluation.calendar.rules import local_day
from services.evaluation.demand.rules import due_month
from services.evaluation.demand.service import tell_lists
from services.evaluation.settings import EvaluationSettings

IDLE_SECONDS = 600.0


async def list_unmet_needs(settings: EvaluationSettings, database: Database) -> None:
    """Tell what is due until cancelled; a lost database is waited for."""
    while True:
        try:
            await tell_due(settings, database)
        except DATABASE_ERRORS as error:
            logger.warning("need_lists_wait", error=repr(error))
        await asyncio.sleep(IDLE_SECONDS)


async def tell_due(settings: EvaluationSettings, database: Database) -> int:
    """Tell the lists that are due today; return how many.

    Concurrency: of two workers one writes a list; the other waits for it and writes none.
    """
    month = due_month(local_day(now()), settings.needs_listed_on_day)
    async with database.transaction() as session:
        told = await tell_lists(session, month, settings)
    if told:
        database.nudge_relay()
    return told
