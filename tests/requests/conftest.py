"""The requests service with its reference data: two villages, units, default rules, a calendar."""

from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest

from contracts.envelope import Envelope
from servicekit.identifiers import new_id
from services.requests.clock.rules import LOCAL
from services.requests.clock.schemas import CalendarYearWrite
from services.requests.clock.service import record_year
from services.requests.definition import SERVICE
from services.requests.reference.consumers import keep_division, keep_item
from services.requests.seed import seed
from tests.requests import factories
from tests.requests.cases import Case
from tests.requests.factories import key, make_division, make_item, make_request
from tests.support.service import RunningService, running
from tests.support.tokens import resident

DATA = Path(__file__).parents[2] / "data"
NEXT_YEAR = CalendarYearWrite(source="测试用的下一年", provisional=True, days=[])
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
async def requests_session(databases, tmp_path_factory):
    files_url = tmp_path_factory.mktemp("files").as_uri()
    async with running(SERVICE, await databases.clone(SERVICE), files_url=files_url) as service:
        await seed(service.database, DATA)
        async with service.database.transaction() as session:
            # Limits of cases submitted today may reach into a year nobody has announced.
            await record_year(session, datetime.now(LOCAL).year + 1, NEXT_YEAR)
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


@pytest.fixture
async def case(service) -> Case:
    """A case that has just been received."""
    applicant_id = uuid4()
    answer = await service.client.post(
        "/v1/requests", json=make_request(), headers=resident(applicant_id) | key()
    )
    return Case(service, applicant_id, answer.json())
