"""The worker process of the requests service."""

from contracts.catalogue import ItemPaused, ItemPublished, ItemRetired
from contracts.facilities import DivisionRecorded
from servicekit.bus import Handlers, Subscription
from servicekit.settings import ServiceSettings
from servicekit.worker import WorkerParts
from services.requests.cases.timers import TIMERS
from services.requests.reference.consumers import keep_division, keep_item

ITEM_HANDLERS: Handlers = {
    ItemPublished: [keep_item],
    ItemPaused: [keep_item],
    ItemRetired: [keep_item],
}
DIVISION_HANDLERS: Handlers = {DivisionRecorded: [keep_division]}
SUBSCRIPTIONS = (
    Subscription("requests.items", ITEM_HANDLERS),
    Subscription("requests.divisions", DIVISION_HANDLERS),
)


def create_worker(_: ServiceSettings) -> WorkerParts:
    """Local copies and the clock of cases."""
    return WorkerParts(subscriptions=SUBSCRIPTIONS, timers=TIMERS)
