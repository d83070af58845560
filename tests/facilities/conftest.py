"""The facilities service: one with the real divisions of Yuncheng loaded, and one with nothing."""

from pathlib import Path

import pytest

from services.facilities.definition import SERVICE
from services.facilities.indicators import service as indicators
from services.facilities.seed import seed
from tests.support.service import running

DATA = Path(__file__).parents[2] / "data"
REFERENCE = frozenset({"division", "community", "facility_type", "indicator"})


@pytest.fixture(scope="session")
async def seeded_session(databases):
    async with running(SERVICE, await databases.clone(SERVICE)) as service:
        await seed(service.database, DATA)
        await service.empty(keep=REFERENCE)
        yield service


@pytest.fixture
async def facilities(seeded_session):
    """The service with divisions and types, and nothing else."""
    yield seeded_session
    await seeded_session.empty(keep=REFERENCE)


@pytest.fixture(scope="session")
async def bare_session(databases):
    async with running(SERVICE, await databases.clone(SERVICE)) as service:
        yield service


@pytest.fixture
async def bare(bare_session):
    """The service with an empty database."""
    yield bare_session
    await bare_session.empty()


@pytest.fixture
async def counted(facilities):
    """The service with its sums of indicators as a seeded deployment has them."""
    async with facilities.database.transaction() as session:
        await indicators.recount(session)
    return facilities
