"""Indicators of facilities, kept for score cards."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from contracts.facilities import IndicatorComputed
from contracts.topics import INDICATORS
from servicekit.bus import Handlers, Subscription
from servicekit.rebuild import Projection
from services.evaluation.assessments import repository


async def keep_indicator(session: AsyncSession, event: IndicatorComputed, _: Envelope) -> None:
    """Keep the newest value of an indicator, division and month."""
    await repository.keep_indicator(session, event)


HANDLERS: Handlers = {IndicatorComputed: [keep_indicator]}
SUBSCRIPTION = Subscription("evaluation.indicators", HANDLERS)
PROJECTION = Projection(INDICATORS, ["indicator_copy"], HANDLERS)
