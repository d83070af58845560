"""Events of evaluation that keep the copy of surveys, and the indicator that follows it."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from contracts.evaluation import CommunitySurveyed
from services.facilities.indicators import service as indicators
from services.facilities.surveys import repository


async def keep_survey(session: AsyncSession, event: CommunitySurveyed, _: Envelope) -> None:
    """Keep the newest state of a community and year."""
    if await repository.keep(session, event):
        await indicators.refresh(session, [event.division_code])
