"""Events of the catalogue that keep the local copy."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import ItemPaused, ItemPublished, ItemRetired, ItemState
from contracts.envelope import Envelope
from services.facilities.items import repository

_STATUS: dict[type[ItemState], str] = {
    ItemPublished: "published",
    ItemPaused: "paused",
    ItemRetired: "retired",
}


async def keep_item(session: AsyncSession, event: ItemState, _: Envelope) -> None:
    """Keep the newest state of an item."""
    await repository.keep(session, event, _STATUS[type(event)])
