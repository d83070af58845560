"""The evaluation service, running on a database of its own with its reference data."""

from pathlib import Path

import pytest

from servicekit.outbox import now
from services.evaluation.definition import SERVICE
from services.evaluation.seed import seed
from tests.support.service import RunningService, running

DATA = Path(__file__).parents[2] / "data"
REFERENCE = frozenset({"rating_tag", "platform_code", "working_year", "working_day"})


@pytest.fixture(scope="session")
async def evaluation_session(databases):
    async with running(SERVICE, await databases.clone(SERVICE)) as service:
        await seed(service.database, DATA)
        await _know_next_year(service)
        yield service


@pytest.fixture
async def evaluation(evaluation_session):
    yield evaluation_session
    await evaluation_session.empty(keep=REFERENCE)


async def _know_next_year(service: RunningService) -> None:
    """The tests run today, and must not fail in December for want of next year's holidays."""
    year = now().year
    await service.fetch(
        "INSERT INTO working_year (division_code, year, revision, provisional, source) "
        "VALUES ('', $1, 0, false, 'test'), ('', $2, 0, false, 'test') ON CONFLICT DO NOTHING",
        year,
        year + 1,
    )
