"""The requests service with its reference data: two villages, units, default rules, a calendar."""

from pathlib import Path

import pytest

from contracts.envelope import Envelope
from servicekit.identifiers import new_id
from services.requests.definition import SERVICE
from services.requests.reference.consumers import keep_division, keep_item
from services.requests.seed import seed
from tests.requests import factories
from tests.requests.factories import make_division, make_item
from tests.support.service import RunningService, running

DATA = Path(__file__).parents[2] / "data"
KEPT = frozenset(
    {
        "calendar_day",
        "calendar_year",
        "catalogue_item",
        "copy_revision",
        "division",
        "local_calendar_day",
        "local_calendar_year",
        "number_series",
        "routing_rule_set",
        "unit",
    }
)


def envelope_for(event) -> Envelope:
    return Envelope(new_id(), event.event_type, event.source, event.key, event.recorded_at)


async def deliver(service: RunningService, handler, event) -> None:
    """Hand an event to a handler in a transaction, and let the API notice."""
    async with service.database.transaction() as session:
        await handler(session, event, envelope_for(event))
    await service.app.state.reference.refresh()


@pytest.fixture(scope="session")
async def requests_session(databases):
    async with running(SERVICE, await databases.clone(SERVICE)) as service:
        await seed(service.database, DATA)
        for code, name in (
            (factories.VILLAGE, "中城社区"),
            (factories.OTHER_COUNTY_VILLAGE, "临猗某村"),
        ):
            await deliver(service, keep_division, make_division(code, name))
        await deliver(service, keep_item, make_item())
        await deliver(
            service,
            keep_item,
            make_item(item_code=factories.OFFICIAL_CODE, name="供水报装", provisional=False),
        )
        await service.empty(keep=KEPT)  # the seed tells of the calendar
        yield service


@pytest.fixture
async def service(requests_session):
    yield requests_session
    await requests_session.empty(keep=KEPT)
