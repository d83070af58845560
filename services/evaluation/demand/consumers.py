"""Events that are counted as needs: searches without results, and refused requests."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import SearchMissed
from contracts.envelope import Envelope
from contracts.requests import CaseRefused
from servicekit.bus import Subscription
from services.evaluation.demand import service


async def count_missed(session: AsyncSession, event: SearchMissed, _: Envelope) -> None:
    """Count searches without results."""
    await service.count_missed(session, event)


async def count_refused(session: AsyncSession, event: CaseRefused, _: Envelope) -> None:
    """Count a refused request."""
    await service.count_refused(session, event)


SUBSCRIPTION = Subscription(
    "evaluation.demand", {SearchMissed: [count_missed], CaseRefused: [count_refused]}
)
