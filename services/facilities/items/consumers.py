"""Events of the catalogue that keep the local copy."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import ItemState
from contracts.envelope import Envelope
from services.facilities.items import repository


async def keep_item(session: AsyncSession, event: ItemState, _: Envelope) -> None:
    """Keep the newest state of an item."""
    await repository.keep(session, event)
