"""The command line in this process, with an environment of its own."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from servicekit import process
from servicekit.process import load_service
from tests.support.service import DATA_KEY, INDEX_KEY, Databases, TestDatabase
from yichuang import environment
from yichuang.cli import app
from yichuang.environment import service_names


@dataclass(frozen=True)
class Outcome:
    code: int
    said: str


Run = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def alone(monkeypatch, tmp_path) -> Iterator[None]:
    """No setting of a service in the environment, no stack beside, and nothing left behind."""
    before = dict(os.environ)
    prefixes = tuple(f"{name.upper()}_" for name in service_names())
    for name in before:
        if name.startswith(prefixes) or name == "KAFKA_BOOTSTRAP_SERVERS":
            del os.environ[name]
    monkeypatch.setattr(environment, "STACK_FILE", tmp_path / "stack.env")
    # The services' own commands configure logging for their process; this one is the tests'. A logger
    # that is first used while output is redirected would write there for ever.
    monkeypatch.setattr(process, "configure_logging", lambda **_: None)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def yichuang(alone) -> Run:
    """Run a command; it has an event loop of its own, in a thread of its own."""

    async def run(*arguments: str, typed: str | None = None) -> Outcome:
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments, input=typed)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.output)

    return run


def variables(name: str, database_url: str, bootstrap_servers: str = "") -> dict[str, str]:
    """The settings that every service needs."""
    values = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": database_url,
        "JWKS_URL": "http://127.0.0.1:9/unused",
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "DATA_KEYS": f'{{"old": "{DATA_KEY}"}}',
        "DATA_KEY_ID": "old",
        "BLIND_INDEX_KEY": INDEX_KEY,
        "LOG_LEVEL": "warning",
    }
    return {f"{name.upper()}_{key}": value for key, value in values.items()}


@pytest.fixture
async def requests_database(databases: Databases) -> TestDatabase:
    return await databases.clone(load_service("requests"))
