"""The catalogue service, running on a database of its own."""

import hypothesis
import pytest

from services.catalogue.definition import SERVICE
from tests.catalogue.people import People
from tests.support.service import running

# A slow machine is no fault of the code.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="session")
async def catalogue_session(databases):
    async with running(SERVICE, await databases.clone(SERVICE)) as service:
        yield service


@pytest.fixture
async def catalogue(catalogue_session):
    yield catalogue_session
    # What this test searched for in vain is told once a minute: not among the next one's events.
    await catalogue_session.app.state.missed_searches.flush()
    await catalogue_session.empty()


@pytest.fixture
def people(catalogue) -> People:
    return People(catalogue)
