"""What evaluation tells of needs that were not met: evidence beside the gaps."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from contracts.evaluation import UnmetNeedsListed
from services.facilities.gaps import repository


async def keep_needs(session: AsyncSession, event: UnmetNeedsListed, _: Envelope) -> None:
    """Keep what a county's residents asked for in a month and did not find."""
    await repository.keep_needs(session, event)
