"""The exchange service, running on a database of its own."""

import pytest

from services.exchange.definition import SERVICE
from tests.support.service import running


@pytest.fixture(scope="session")
async def exchange_session(databases):
    async with running(SERVICE, await databases.clone(SERVICE)) as service:
        yield service


@pytest.fixture
async def exchange(exchange_session):
    yield exchange_session
    await exchange_session.empty()
