"""The job that makes last month's score cards, once everything of it has arrived."""

import asyncio

from servicekit.database import DATABASE_ERRORS, Database
from servicekit.logging import logger
from servicekit.outbox import now
from services.evaluation.assessments.service import make_due
from services.evaluation.calendar.rules import local_day
from services.evaluation.demand.rules import due_month
from services.evaluation.settings import EvaluationSettings

IDLE_SECONDS = 600.0


async def assess_monthly(settings: EvaluationSettings, database: Database) -> None:
    """Make what is due until cancelled; a lost database is waited for."""
    while True:
        try:
            await assess_due(settings, database)
        except DATABASE_ERRORS as error:
            logger.warning("assessment_waits", error=repr(error))
        await asyncio.sleep(IDLE_SECONDS)


async def assess_due(settings: EvaluationSettings, database: Database) -> int:
    """Make the cards that are due today; return of how many schemes."""
    month = due_month(local_day(now()), settings.assessed_on_day)
    async with database.transaction() as session:
        return await make_due(session, month, settings)
