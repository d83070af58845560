"""What the worker of evaluation does beside relaying: takes cases, and rates by default if set."""

from functools import partial

from servicekit.settings import ServiceSettings
from servicekit.worker import WorkerParts
from services.evaluation.demand import consumers as demand
from services.evaluation.demand.lists import list_unmet_needs
from services.evaluation.divisions import consumers as divisions
from services.evaluation.evaluables.consumers import create_subscription
from services.evaluation.ratings.defaults import rate_by_default
from services.evaluation.settings import EvaluationSettings


def create_worker(settings: ServiceSettings) -> WorkerParts:
    """Put the worker together."""
    assert isinstance(settings, EvaluationSettings)
    level = settings.default_rating_level
    rating = [partial(rate_by_default, level)] if level is not None else []
    return WorkerParts(
        subscriptions=[
            create_subscription(settings),
            divisions.SUBSCRIPTION,
            demand.SUBSCRIPTION,
        ],
        jobs=[partial(list_unmet_needs, settings), *rating],
    )
