"""Fixtures every test may use: a real PostgreSQL, and a broker for those that ask for one."""

from collections.abc import Iterator

import pytest

from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit.logging import configure_logging
from tests.support.service import Databases


# The default renderer draws tracebacks with every local variable: slow, and it shows too much.
configure_logging(service="tests", process="pytest", level="warning", log_format="json")


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
