"""PostgreSQL: engine, sessions, one transaction per request, and SQLModel's base per service."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

import asyncpg
import orjson
from fastapi import Depends, Request
from sqlalchemy import MetaData, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import registry

from servicekit.metrics import POOL_IN_USE, POOL_SIZE
from servicekit.settings import ServiceSettings

#: Stable constraint names: errors are mapped by them, migrations refer to them.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
COMMAND_TIMEOUT_SECONDS = 30.0
#: What can be raised while the database is away or has just come back, through SQLAlchemy or not.
#: asyncpg's InternalClientError is none of its other kinds: a rollback on a lost connection.
DATABASE_ERRORS = (
    OSError,
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
#: Channel on which an API process wakes its service's relay after a commit.
OUTBOX_CHANNEL = "outbox"
#: At most one nudge in this time: NOTIFY takes a database-wide lock at commit.
NUDGE_SECONDS = 0.02
CLOSE_SECONDS = 1.0


#: Key under which a session keeps what is put off to the end of its transaction.
_PUT_OFF = "before_commit"


def before_commit(
    session: AsyncSession, name: str, work: Callable[[AsyncSession], Awaitable[None]]
) -> None:
    """Put work off to the end of the transaction: done once a name, last of all, then the commit.

    For what takes locks that many transactions want: taken together and in one order, at the end.
    """
    session.info.setdefault(_PUT_OFF, {})[name] = work


def service_registry() -> registry:
    """A registry of the service's own, so that two services can be imported in one process."""
    return registry(metadata=MetaData(naming_convention=NAMING_CONVENTION))


def to_json(value: Any) -> str:
    """JSON text with UUIDs, dates and decimals as PostgreSQL's jsonb takes it."""
    return orjson.dumps(value, default=str).decode()


class Database:
    """A service's database as one process sees it: ORM sessions, and a raw pool for hot paths."""

    def __init__(self, settings: ServiceSettings, *, application_name: str) -> None:
        self._dsn = settings.dsn
        self._application_name = application_name
        self.engine: AsyncEngine = create_async_engine(
            settings.sqlalchemy_url,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            pool_timeout=5,
            hide_parameters=True,  # of failed statements: they would reach logs and traces
            json_serializer=to_json,
            json_deserializer=orjson.loads,
            connect_args={
                "command_timeout": COMMAND_TIMEOUT_SECONDS,
                "server_settings": {"application_name": application_name},
            },
        )
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._nudger: asyncio.Task[None] | None = None
        self._nudging: asyncpg.Connection[asyncpg.Record] | None = None
        self._nudge_wanted = asyncio.Event()
        POOL_SIZE.set(settings.pool_size)
        POOL_IN_USE.set_function(self.engine.pool.checkedout)  # type: ignore[attr-defined]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: commits when the block ends, rolls back when it raises."""
        async with self.sessions() as session, session.begin():
            yield session
            while put_off := session.info.pop(_PUT_OFF, {}):  # by what was put off before, too
                for work in put_off.values():
                    await work(session)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A read-only transaction: a stray write fails in the database."""
        async with self.sessions() as session, session.begin():
            await session.execute(text("SET TRANSACTION READ ONLY"))
            yield session

    async def create_pool(self, *, size: int) -> "asyncpg.Pool[asyncpg.Record]":
        """A pool of plain asyncpg connections for statements that must be cheap."""
        return await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=size,
            command_timeout=COMMAND_TIMEOUT_SECONDS,
            # A plan made while a table is small is kept until it is analysed: hot statements are
            # keyed, and a plan that reads whole tables must not outlive a table's first hour.
            server_settings={
                "application_name": f"{self._application_name}.hot",
                "enable_seqscan": "off",
                "enable_hashjoin": "off",
                "enable_mergejoin": "off",
            },
        )

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A single plain connection, for LISTEN or a session's advisory lock."""
        return await asyncpg.connect(
            self._dsn,
            command_timeout=COMMAND_TIMEOUT_SECONDS,
            server_settings={"application_name": f"{self._application_name}.single"},
        )

    def nudge_relay(self) -> None:
        """Wake the relay soon; call it after the commit, never inside the transaction."""
        self._nudge_wanted.set()
        if self._nudger is None or self._nudger.done():
            self._nudger = asyncio.create_task(self._nudge())

    async def _nudge(self) -> None:
        while self._nudge_wanted.is_set():
            self._nudge_wanted.clear()
            try:
                # A connection of its own, and one round trip: under load this is done without end.
                if self._nudging is None or self._nudging.is_closed():
                    self._nudging = await self.connect()
                await self._nudging.execute(f"NOTIFY {OUTBOX_CHANNEL}")
            except DATABASE_ERRORS:
                return  # the relay polls anyway
            await asyncio.sleep(NUDGE_SECONDS)

    async def close(self) -> None:
        """Return every connection."""
        if self._nudger:
            self._nudger.cancel()
            await asyncio.wait([self._nudger])
        if self._nudging:
            with suppress(*DATABASE_ERRORS):
                # Not `terminate`: a nudge that was cancelled still waits for its answer.
                await self._nudging.close(timeout=CLOSE_SECONDS)
        await self.engine.dispose()


def database_of(request: Request) -> Database:
    """The database of the app that serves this request."""
    database: Database = request.app.state.database
    return database


async def _read_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with database_of(request).reading() as session:
        yield session


#: A read-only session for GET handlers.
ReadSession = Annotated[AsyncSession, Depends(_read_session, scope="function")]
