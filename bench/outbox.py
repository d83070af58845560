"""The outbox as a measurement fills it: a real submission's event, with other ids each time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
from sqlalchemy import text

from contracts.topics import REQUESTS
from servicekit.database import OUTBOX_CHANNEL, Database
from servicekit.relay import RELAY_LOCK, outgoing_of
from services.requests.definition import SERVICE
from tests.support.service import settings_for

WAIT_SECONDS = 600.0
POLL_SECONDS = 0.02
_SAMPLE = (
    "SELECT position, id, topic, key, type, payload::text AS payload, traceparent, time "
    "FROM outbox_message WHERE type LIKE '%request-submitted.v1' LIMIT 1"
)
_FILL = """
INSERT INTO outbox_message (id, topic, key, type, payload)
SELECT gen_random_uuid(), $1, request_id, $2,
    replace(replace($3, $4, request_id), $5, gen_random_uuid()::text)::jsonb
FROM (SELECT gen_random_uuid()::text AS request_id FROM generate_series(1, $6::int)) AS made
"""
_ONE = text(
    "INSERT INTO outbox_message (id, topic, key, type, payload) "
    "VALUES (:id, :topic, :key, :type, CAST(:payload AS jsonb))"
)
_OLDEST = "SELECT position FROM outbox_message ORDER BY position LIMIT 1"


class Outbox:
    """The outbox of requests; `take_sample` comes before anything is written."""

    def __init__(self, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._dsn = dsn
        self._connection = connection
        self._sample: Any = None

    @classmethod
    async def open(cls, dsn: str) -> "Outbox":
        return cls(dsn, await asyncpg.connect(dsn))

    async def close(self) -> None:
        await self._connection.close()

    async def take_sample(self) -> int:
        """Keep what a submission has just written; bytes of its record."""
        self._sample = await self._connection.fetchrow(_SAMPLE)
        record = outgoing_of(self._sample)
        headers = sum(len(name) + len(value) for name, value in record.headers)
        return len(record.value or b"") + len(record.key or b"") + headers

    async def fill(self, events: int) -> None:
        """Write so many events of so many requests at once."""
        sample = self._sample
        await self._connection.execute(
            _FILL, REQUESTS, sample["type"], sample["payload"], sample["key"], self._case_id, events,
            timeout=WAIT_SECONDS,
        )  # fmt: skip

    @asynccontextmanager
    async def one_by_one(self) -> AsyncIterator["Single"]:
        """Write single events as a service does: a transaction, its commit, a nudge."""
        settings = settings_for(SERVICE.settings, self._dsn)
        database = Database(settings, application_name="bench")
        try:
            yield Single(database, self._sample, self._case_id)
        finally:
            await database.close()

    @asynccontextmanager
    async def relay_held(self) -> AsyncIterator[None]:
        """Keep the relay from its lock, and wake it afterwards."""
        await self._connection.execute(f"SELECT pg_advisory_lock({RELAY_LOCK})")
        try:
            yield
        finally:
            await self._connection.execute(f"SELECT pg_advisory_unlock({RELAY_LOCK})")
            await self._connection.execute(f"NOTIFY {OUTBOX_CHANNEL}")

    async def until_empty(self) -> None:
        """Poll until nothing waits.

        Raises:
            TimeoutError: something still does.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while await self._connection.fetchval(_OLDEST) is not None:
            if time.monotonic() > deadline:
                raise TimeoutError("the outbox did not become empty")
            await asyncio.sleep(POLL_SECONDS)

    @property
    def _case_id(self) -> str:
        case_id: str = orjson.loads(self._sample["payload"])["cases"][0]["case_id"]
        return case_id


class Single:
    """Events one by one."""

    def __init__(self, database: Database, sample: Any, case_id: str) -> None:
        self._database, self._sample, self._case_id = database, sample, case_id

    async def commit(self) -> UUID:
        """The id of an event whose transaction has just been committed."""
        event_id, request_id = uuid4(), str(uuid4())
        payload = self._sample["payload"].replace(self._sample["key"], request_id)
        values = {
            "id": event_id, "topic": REQUESTS, "key": request_id, "type": self._sample["type"],
            "payload": payload.replace(self._case_id, str(uuid4())),
        }  # fmt: skip
        async with self._database.transaction() as session:
            await session.execute(_ONE, values)
        return event_id

    def nudge(self) -> None:
        """Wake the relay, as a service does after its commit."""
        self._database.nudge_relay()
