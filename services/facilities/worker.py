"""The worker of facilities: relays, keeps copies of items and calendars, and watches devices."""

from contracts.requests import CalendarYearRecorded
from servicekit.bus import Handlers, Subscription
from servicekit.settings import ServiceSettings
from servicekit.worker import WorkerParts
from services.facilities.hours.calendar import keep_year

CALENDAR_HANDLERS: Handlers = {CalendarYearRecorded: [keep_year]}
SUBSCRIPTIONS = (Subscription("facilities.calendars", CALENDAR_HANDLERS),)


def create_worker(_: ServiceSettings) -> WorkerParts:
    """Put the worker together."""
    return WorkerParts(subscriptions=SUBSCRIPTIONS)
