"""Events of requests that keep the copy of the calendars."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from contracts.requests import CalendarYearRecorded
from contracts.topics import CALENDAR
from servicekit.bus import Handlers, Subscription
from servicekit.rebuild import Projection
from services.evaluation.calendar import service


async def keep_year(session: AsyncSession, event: CalendarYearRecorded, _: Envelope) -> None:
    """Keep the newest record of a year."""
    await service.take_year(session, event)


HANDLERS: Handlers = {CalendarYearRecorded: [keep_year]}
PROJECTION = Projection(CALENDAR, ["working_day", "working_year"], HANDLERS)


def create_subscription(handlers: Handlers) -> Subscription:
    """The copy's own handler, and what others do when a year becomes known."""
    more = {event: [*HANDLERS[event], *handlers.get(event, ())] for event in HANDLERS}
    return Subscription("evaluation.calendar", more)
