"""What the worker of evaluation does beside relaying: takes cases, and rates by default if set."""

from functools import partial

from servicekit.settings import ServiceSettings
from servicekit.worker import WorkerParts
from services.evaluation.evaluables.consumers import create_subscription
from services.evaluation.ratings.defaults import rate_by_default
from services.evaluation.settings import EvaluationSettings


def create_worker(settings: ServiceSettings) -> WorkerParts:
    """Put the worker together."""
    assert isinstance(settings, EvaluationSettings)
    level = settings.default_rating_level
    return WorkerParts(
        subscriptions=[create_subscription(settings)],
        jobs=[partial(rate_by_default, level)] if level is not None else [],
    )
