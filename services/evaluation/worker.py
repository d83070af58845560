"""What the worker of evaluation does beside relaying: takes cases, and rates by default if set."""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope, Event
from contracts.requests import CalendarYearRecorded
from servicekit.bus import Handlers
from servicekit.settings import ServiceSettings
from servicekit.worker import WorkerParts
from services.evaluation.assessments import consumers as indicators
from services.evaluation.assessments.monthly import assess_monthly
from services.evaluation.calendar import consumers as calendar
from services.evaluation.demand import consumers as demand
from services.evaluation.demand.lists import list_unmet_needs
from services.evaluation.divisions import consumers as divisions
from services.evaluation.evaluables.consumers import create_subscription
from services.evaluation.integrity import scanning
from services.evaluation.items import consumers as items
from services.evaluation.ratings.defaults import rate_by_default
from services.evaluation.rectifications import service as rectifications
from services.evaluation.rectifications.deadlines import TIMERS
from services.evaluation.scores.recounts import run_recounts
from services.evaluation.settings import EvaluationSettings


def create_worker(settings: ServiceSettings) -> WorkerParts:
    """Put the worker together."""
    assert isinstance(settings, EvaluationSettings)
    level = settings.default_rating_level

    async def fill_due_dates(session: AsyncSession, _: Event, __: Envelope) -> None:
        await rectifications.fill_due_dates(session, settings)

    calendar_known: Handlers = {CalendarYearRecorded: [fill_due_dates]}
    rating = [partial(rate_by_default, level)] if level is not None else []
    return WorkerParts(
        subscriptions=[
            create_subscription(settings),
            calendar.create_subscription(calendar_known),
            divisions.SUBSCRIPTION,
            demand.SUBSCRIPTION,
            indicators.SUBSCRIPTION,
            items.SUBSCRIPTION,
        ],
        timers=TIMERS,
        jobs=[
            partial(list_unmet_needs, settings),
            partial(assess_monthly, settings),
            scanning.create_job(settings),
            run_recounts,
            *rating,
        ],
    )
