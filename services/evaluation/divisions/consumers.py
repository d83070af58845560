"""Events of facilities that keep the copies of divisions and figures."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from contracts.facilities import CommunityFiguresRecorded, DivisionRecorded
from contracts.topics import FACILITIES
from servicekit.bus import Handlers, Subscription
from servicekit.rebuild import Projection
from services.evaluation.divisions import repository


async def keep_division(session: AsyncSession, event: DivisionRecorded, _: Envelope) -> None:
    """Keep the newest state of a division."""
    await repository.keep_division(session, event)


async def keep_figures(session: AsyncSession, event: CommunityFiguresRecorded, _: Envelope) -> None:
    """Keep the newest figures of a community and year."""
    await repository.keep_figures(session, event)


HANDLERS: Handlers = {
    DivisionRecorded: [keep_division],
    CommunityFiguresRecorded: [keep_figures],
}
SUBSCRIPTION = Subscription("evaluation.divisions", HANDLERS)
PROJECTION = Projection(FACILITIES, ["community_figures", "division"], HANDLERS)
