"""The worker of facilities: relays, keeps copies of items, calendars and surveys, and watches devices."""

from functools import partial

from contracts.catalogue import ITEM_STATES
from contracts.evaluation import CommunitySurveyed, UnmetNeedsListed
from contracts.requests import CalendarYearRecorded
from servicekit.bus import Handlers, Subscription
from servicekit.imports import ImportRunner
from servicekit.settings import ServiceSettings
from servicekit.worker import WorkerParts
from services.facilities.bookings import clock, displacing
from services.facilities.communities.sheets import FiguresRows
from services.facilities.devices import service as devices
from services.facilities.gaps.consumers import keep_needs
from services.facilities.hours.calendar import keep_year
from services.facilities.indicators import history
from services.facilities.items.consumers import keep_item
from services.facilities.photos.erasing import ERASE, erase, sweep_daily
from services.facilities.photos.store import open_store
from services.facilities.settings import FacilitiesSettings
from services.facilities.surveys.consumers import keep_survey

CALENDAR_HANDLERS: Handlers = {CalendarYearRecorded: [keep_year]}
ITEM_HANDLERS: Handlers = {event: [keep_item] for event in ITEM_STATES}
NEED_HANDLERS: Handlers = {UnmetNeedsListed: [keep_needs]}
SURVEY_HANDLERS: Handlers = {CommunitySurveyed: [keep_survey]}
SUBSCRIPTIONS = (
    Subscription("facilities.surveys", SURVEY_HANDLERS),
    Subscription("facilities.needs", NEED_HANDLERS),
    Subscription("facilities.calendars", CALENDAR_HANDLERS),
    Subscription("facilities.items", ITEM_HANDLERS),
)
IMPORTS = ImportRunner({"figures": FiguresRows()})
TIMERS = {devices.SILENT: devices.miss, **clock.TIMERS, **displacing.TIMERS}


def create_worker(settings: ServiceSettings) -> WorkerParts:
    """Put the worker together."""
    assert isinstance(settings, FacilitiesSettings)
    photos = open_store(settings.files_url)
    return WorkerParts(
        subscriptions=SUBSCRIPTIONS,
        timers={**TIMERS, ERASE: partial(erase, photos)},
        jobs=[
            history.job,
            IMPORTS.run,
            *([partial(sweep_daily, photos)] if settings.files_url else []),
        ],
    )
