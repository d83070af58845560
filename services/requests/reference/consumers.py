"""Events of the catalogue and of facilities that keep the local copies."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import BundleState, ItemState
from contracts.envelope import Envelope
from contracts.facilities import DivisionRecorded
from services.requests.reference import repository

ITEMS = "catalogue-items"
BUNDLES = "catalogue-bundles"
DIVISIONS = "divisions"


async def keep_item(session: AsyncSession, event: ItemState, _: Envelope) -> None:
    """Keep the newest state of an item."""
    await repository.keep_item(session, event)
    await repository.bump(session, ITEMS)


async def keep_bundle(session: AsyncSession, event: BundleState, _: Envelope) -> None:
    """Keep the newest state of a bundle."""
    await repository.keep_bundle(session, event)
    await repository.bump(session, BUNDLES)


async def keep_division(session: AsyncSession, event: DivisionRecorded, _: Envelope) -> None:
    """Keep the newest state of a division."""
    await repository.keep_division(session, event)
    await repository.bump(session, DIVISIONS)
