"""Fixtures every test may use: a real PostgreSQL, and a broker for those that ask for one."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from devstack.broker import Broker
from devstack.jars import JarsUnavailable
from devstack.kafka import start_broker
from devstack.ports import pick_free_port, pick_free_ports
from devstack.postgres import PostgresServer
from devstack.stack import Stack
from servicekit.logging import configure_logging
from tests.support.s3 import S3Server, S3Unavailable, s3_server
from tests.support.service import Databases

# How long an example takes is the machine's affair, and a busy one must not fail a test.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
# The default renderer draws tracebacks with every local variable: slow, and it shows too much.
configure_logging(service="tests", process="pytest", level="warning", log_format="json")
# A logger that was used once would keep its processors, and `capture_logs` would see nothing.
structlog.configure(cache_logger_on_first_use=False)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one dear fixture in one process when the suite runs in several."""
    for item in items:
        dear = next(
            (name for name in ("stack", "broker") if name in getattr(item, "fixturenames", ())),
            None,
        )
        if dear and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(dear))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory) -> Iterator[PostgresServer]:
    """A throwaway PostgreSQL for the whole run."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"), pick_free_port(), fast=True)
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer) -> Databases:
    return Databases(postgres)


@pytest.fixture(scope="session")
def broker(tmp_path_factory) -> Iterator[Broker]:
    """A Kafka broker for the whole run: Apache Kafka, or the stand-in where there is no Java."""
    directory = tmp_path_factory.mktemp("broker") / "kafka"
    broker = start_broker(directory, pick_free_ports(), allow_stand_in=True)
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def s3_session(tmp_path_factory) -> Iterator[S3Server]:
    try:
        with s3_server(tmp_path_factory.mktemp("s3"), pick_free_port()) as server:
            yield server
    except (S3Unavailable, JarsUnavailable) as reason:
        pytest.skip(f"no S3 server: {reason}")


@pytest.fixture
def s3(s3_session: S3Server, monkeypatch) -> S3Server:
    """A real S3 server, which stores that are opened in this test will find."""
    for name, value in s3_session.environment.items():
        monkeypatch.setenv(name, value)
    return s3_session


@pytest.fixture(scope="session")
async def stack(tmp_path_factory):
    """A whole stack of real processes, as `make run` has it, on ports of its own."""
    directory = tmp_path_factory.mktemp("stack")
    async with Stack(directory, pick_free_ports(), fast=True, log_level="warning") as stack:
        yield stack
