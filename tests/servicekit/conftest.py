"""The sample service, running on a database of its own."""

import pytest

from tests.servicekit.sample.definition import SERVICE
from tests.support.service import running


@pytest.fixture(scope="session")
async def sample_session(databases):
    async with running(SERVICE, await databases.clone(SERVICE)) as service:
        yield service


@pytest.fixture
async def sample(sample_session):
    yield sample_session
    await sample_session.empty()
