"""Fixtures every test may use: a real PostgreSQL, and a broker for those that ask for one."""

from collections.abc import Iterator

import pytest

from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from tests.support.service import Databases


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
