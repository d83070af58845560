"""Events of the catalogue that keep the copy of its items."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import ITEM_STATES, ItemState
from contracts.envelope import Envelope
from contracts.topics import CATALOGUE
from servicekit.bus import Handlers, Subscription
from servicekit.rebuild import Projection
from services.evaluation.items import repository


async def keep_item(session: AsyncSession, event: ItemState, _: Envelope) -> None:
    """Keep the newest state of an item."""
    await repository.keep(session, event)


HANDLERS: Handlers = {event: [keep_item] for event in ITEM_STATES}
SUBSCRIPTION = Subscription("evaluation.items", HANDLERS)
PROJECTION = Projection(CATALOGUE, ["item_copy"], HANDLERS)
