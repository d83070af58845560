"""The worker process of the catalogue: relays its events, keeps scores, follows what happens."""

from contracts.catalogue import ITEM_STATES
from contracts.evaluation import ScoreChanged, UnmetNeedsListed
from contracts.requests import RequestSubmitted
from servicekit.bus import Subscription
from servicekit.imports import ImportRunner
from servicekit.settings import ServiceSettings
from servicekit.worker import WorkerParts
from services.catalogue.admissions.timers import TIMERS as ADMISSION_TIMERS
from services.catalogue.basic_sheets.rows import BasicRows
from services.catalogue.bundles.consumers import follow_item
from services.catalogue.items.steps import PUBLISH, publish_scheduled
from services.catalogue.proposals.consumers import count_use, offer_what_is_missed
from services.catalogue.proposals.timers import TIMERS as PROPOSAL_TIMERS
from services.catalogue.scores.consumers import keep_score
from services.catalogue.sheets.rows import ItemRows
from services.catalogue.sheets.service import PUBLISH_IMPORT, publish_batch

SUBSCRIPTIONS = (
    Subscription("catalogue.scores", {ScoreChanged: [keep_score]}),
    Subscription("catalogue.bundles", {event: [follow_item] for event in ITEM_STATES}),
    Subscription("catalogue.use", {RequestSubmitted: [count_use]}),
    Subscription("catalogue.needs", {UnmetNeedsListed: [offer_what_is_missed]}),
)

TIMERS = {
    PUBLISH: publish_scheduled,
    PUBLISH_IMPORT: publish_batch,
    **ADMISSION_TIMERS,
    **PROPOSAL_TIMERS,
}
IMPORTS = ImportRunner({"items": ItemRows(), "basic-items": BasicRows()})


def create_worker(settings: ServiceSettings) -> WorkerParts:  # noqa: ARG001 - the same for every service
    """What runs beside the relay."""
    return WorkerParts(subscriptions=SUBSCRIPTIONS, timers=TIMERS, jobs=[IMPORTS.run])
