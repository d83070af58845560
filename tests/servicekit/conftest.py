"""The sample service, running on a database of its own."""

import time

import pytest

from contracts.topics import Topic, dead_letter_topic
from devstack.broker import wait_until_ready
from servicekit.database import Database
from servicekit.producer import Producer
from tests.servicekit.helpers import make_topics
from tests.servicekit.sample.definition import SERVICE
from tests.servicekit.sample.events import STATES, TOPIC
from tests.support.service import running


@pytest.fixture(scope="session")
async def sample_session(databases):
    async with running(SERVICE, await databases.clone(SERVICE)) as service:
        yield service


@pytest.fixture
async def sample(sample_session):
    yield sample_session
    await sample_session.empty()


@pytest.fixture
async def database(sample):
    """Another process's view of the sample's database."""
    database = Database(sample.settings, application_name="test.worker")
    yield database
    await database.close()


@pytest.fixture
async def producer(broker):
    producer = Producer(broker.bootstrap_servers)
    yield producer
    await producer.stop()


@pytest.fixture(scope="session")
async def sample_topics(broker):
    """The topics the sample names itself."""
    await make_topics(
        broker,
        Topic(TOPIC, 3, False, "notes"),
        Topic(STATES, 3, True, "states"),
        dead_letter_topic(TOPIC, "sample.effects"),
        dead_letter_topic(STATES, "sample.effects"),
    )


@pytest.fixture
def logged(capfd):
    """A function that returns everything logged so far in this test."""
    said = []

    def so_far() -> str:
        said.append(capfd.readouterr().out)
        return "".join(said)

    return so_far


@pytest.fixture
def apache(broker):
    """The broker, where it is Apache Kafka and ours to break."""
    if not (broker.is_apache and broker.owned):
        pytest.skip("needs an Apache Kafka of its own")
    return broker


@pytest.fixture
def breakable(broker):
    """The broker, where it is ours to break; whole again afterwards."""
    if not broker.owned:
        pytest.skip("needs a broker of its own")
    yield broker
    mend(broker)


def mend(broker):
    broker.resume()
    broker.start()
    wait_until_ready(broker.bootstrap_servers, time.monotonic() + 30)
