"""What requests and evaluation tell, as figures for proposals."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from contracts.evaluation import UnmetNeedsListed
from contracts.requests import RequestSubmitted
from services.catalogue.proposals import service


async def count_use(session: AsyncSession, event: RequestSubmitted, _: Envelope) -> None:
    """Count how often each item is used."""
    await service.count_use(session, event)


async def offer_what_is_missed(session: AsyncSession, event: UnmetNeedsListed, _: Envelope) -> None:
    """Propose to offer what was asked for and not found."""
    await service.offer_what_is_missed(session, event)
