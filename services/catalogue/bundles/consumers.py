"""Items of our own catalogue change: the bundles that have them are told again."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import ItemState
from contracts.envelope import Envelope
from services.catalogue.bundles import service


async def follow_item(session: AsyncSession, event: ItemState, _: Envelope) -> None:
    """Tell the bundles of an item again, with the item as it stands now."""
    await service.follow_item(session, event.item_id, revision=event.revision)
