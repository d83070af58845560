"""The worker process of the catalogue: relays its events and keeps the scores of its items."""

from contracts.evaluation import ScoreChanged
from servicekit.bus import Subscription
from servicekit.settings import ServiceSettings
from servicekit.worker import WorkerParts
from services.catalogue.scores.consumers import keep_score

SCORES_GROUP = "catalogue.scores"


def create_worker(settings: ServiceSettings) -> WorkerParts:  # noqa: ARG001 - the same for every service
    """What runs beside the relay."""
    return WorkerParts(
        subscriptions=[Subscription(group=SCORES_GROUP, handlers={ScoreChanged: [keep_score]})]
    )
