"""A service under test: its own migrated database, and its app as production builds it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
from fastapi import FastAPI

from servicekit.bus import Subscription
from servicekit.database import Database
from servicekit.migrations import upgrade
from servicekit.process import Service, load_service
from servicekit.settings import ServiceSettings
from tests.support import tokens

PASSWORD = "test"
DATA_KEY = base64.b64encode(b"d" * 32).decode()
INDEX_KEY = base64.b64encode(b"i" * 32).decode()


def settings_for(settings: type[ServiceSettings], dsn: str, **values) -> ServiceSettings:
    defaults: dict[str, Any] = {
        "environment": "development",
        "database_url": dsn,
        "jwks_url": "http://127.0.0.1:9/unused",
        "data_keys": {"test": DATA_KEY},
        "data_key_id": "test",
        "blind_index_key": INDEX_KEY,
        "pool_size": 10,
    }
    return settings(**(defaults | values))


def settings_of(service: Service) -> ServiceSettings:
    """Settings with which its parts can be put together, but reach nothing."""
    return settings_for(service.settings, "postgresql://nobody:none@127.0.0.1:9/none")


def subscriptions_of(name: str) -> list[Subscription]:
    """What the worker of a service listens to."""
    service = load_service(name)
    if service.create_worker is None:
        return []
    return list(service.create_worker(settings_of(service)).subscriptions)


class Databases:
    """Hands out migrated databases: a template per service, made once per run."""

    def __init__(self, server) -> None:
        self._server = server
        self._templates: set[str] = set()

    def template(self, service: Service) -> str:
        """Return the name of a database at the service's migration head. Blocks."""
        template = f"{service.name}_template"
        if template not in self._templates:
            self._server.create_database(service.name, template, PASSWORD)
            dsn = self._server.dsn(template, service.name, PASSWORD)
            upgrade(service.migrations, dsn.replace("postgresql://", "postgresql+asyncpg://"))
            self._templates.add(template)
        return template

    async def clone(self, service: Service) -> "TestDatabase":
        """A fresh database with the service's schema and nothing in it."""
        template = await asyncio.to_thread(self.template, service)
        name = f"{service.name}_{uuid4().hex[:8]}"
        admin = await asyncpg.connect(self._server.superuser_dsn)
        try:
            await admin.execute(
                f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER "{service.name}"'
            )
        finally:
            await admin.close()
        admin_dsn = self._server.superuser_dsn.rpartition("/")[0] + f"/{name}"
        return TestDatabase(self._server.dsn(name, service.name, PASSWORD), admin_dsn)


@dataclass(frozen=True)
class TestDatabase:
    """Addresses of one database: as the service's role, and as the superuser."""

    __test__ = False
    dsn: str
    admin_dsn: str


@dataclass
class RunningService:
    """An app with its lifespan entered, a client to call it, and its database."""

    app: FastAPI
    client: httpx.AsyncClient
    at: TestDatabase
    settings: ServiceSettings

    @property
    def database(self) -> Database:
        return self.app.state.database

    async def empty(self, *, keep: frozenset[str] = frozenset()) -> None:
        """Delete every row but those of reference tables; quicker than TRUNCATE."""
        connection = await asyncpg.connect(self.at.admin_dsn)
        try:
            await connection.execute(_empty_statement(tuple(await _tables(connection)), keep))
        finally:
            await connection.close()

    async def fetch(self, query: str, *arguments):
        """Rows of a query, read outside the app."""
        connection = await asyncpg.connect(self.at.dsn)
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    async def count(self, table: str) -> int:
        rows = await self.fetch(f'SELECT count(*) AS n FROM "{table}"')
        return rows[0]["n"]

    async def events(self) -> list[tuple[str, dict]]:
        """Type and body of everything in the outbox, in order."""
        rows = await self.fetch("SELECT type, payload FROM outbox_message ORDER BY position")
        return [(row["type"], json.loads(row["payload"])) for row in rows]


async def _tables(connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
        "AND tablename <> 'alembic_version' ORDER BY 1"
    )
    return [row["tablename"] for row in rows]


@cache
def _empty_statement(tables: tuple[str, ...], keep: frozenset[str]) -> str:
    deletes = "; ".join(f'DELETE FROM "{table}"' for table in tables if table not in keep)
    # As the superuser, foreign keys need no order of deletion.
    return f"SET session_replication_role = replica; {deletes}"


@asynccontextmanager
async def running(service: Service, at: TestDatabase, **settings) -> AsyncIterator[RunningService]:
    """Start a service's API in this process."""
    values = settings_for(service.settings, at.dsn, **settings)
    app = service.create_app(values, verifier=tokens.verifier())
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        yield RunningService(app, client, at, values)
