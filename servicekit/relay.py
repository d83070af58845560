"""The relay: one worker at a time sends what is in the outbox, in order, and removes it."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import UTC
from typing import Any

import asyncpg
from aiokafka.errors import KafkaError

from contracts.envelope import Envelope
from servicekit.database import DATABASE_ERRORS, OUTBOX_CHANNEL, Database
from servicekit.logging import logger
from servicekit.metrics import OUTBOX_DEPTH, OUTBOX_FAILURES, OUTBOX_OLDEST_SECONDS, OUTBOX_SENT
from servicekit.producer import Outgoing, Producer

#: A crash re-sends at most this many events.
BATCH_EVENTS = 500
#: As often as writers nudge; after many events more are coming, and gather for a moment: whatever its
#: size a batch costs a commit, an acknowledgement, and each consumer a transaction.
BUSY_SECONDS, MANY_EVENTS, GATHER_SECONDS = 0.02, 5, 0.1
IDLE_SECONDS = 1.0
OBSERVE_SECONDS = 5.0
#: Same number in every service: the lock lives in the service's own database.
RELAY_LOCK = 7_301

_TRY_LOCK = "SELECT pg_try_advisory_xact_lock($1)"
_TAKE = """
DELETE FROM outbox_message WHERE position IN (
    SELECT position FROM outbox_message ORDER BY position LIMIT $1
) RETURNING position, id, topic, key, type, payload::text AS payload, traceparent, time
"""
_OBSERVE = "SELECT count(*), extract(epoch FROM now() - min(time)) AS age FROM outbox_message"


def envelope_of(row: Any) -> Envelope:
    """The envelope under which an outbox row travels."""
    return Envelope(
        id=row["id"],
        type=row["type"],
        source="/" + row["type"].split(".")[2],
        subject=row["key"],
        time=row["time"].astimezone(UTC),
        traceparent=row["traceparent"],
    )


def outgoing_of(row: Any) -> Outgoing:
    """The Kafka record of an outbox row."""
    headers = envelope_of(row).headers()
    return Outgoing(row["topic"], row["key"].encode(), row["payload"].encode(), headers)


class Relay:
    """Sends the outbox to Kafka in order, at least once; one of all workers at a time.

    A batch is one transaction: lock, take (delete), send, commit. Whatever dies in between leaves
    the rows where they were. The transaction-level advisory lock, not the number of workers,
    keeps the order.
    """

    def __init__(self, database: Database, producer: Producer) -> None:
        self._database = database
        self._producer = producer
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Relay until cancelled; a lost database or broker is waited for."""
        while True:
            try:
                await self._session()
            except DATABASE_ERRORS as error:
                logger.warning("relay_lost_database", error=repr(error))
                await asyncio.sleep(IDLE_SECONDS)

    async def _session(self) -> None:
        connection = await self._database.connect()
        try:
            await connection.add_listener(OUTBOX_CHANNEL, lambda *_: self._wake.set())
            observed_at = float("-inf")
            while True:
                now = asyncio.get_running_loop().time()
                if now - observed_at > OBSERVE_SECONDS:
                    await self._observe(connection)
                    observed_at = now
                sent = await self._relay_batch(connection)
                if sent == 0:
                    await self._sleep(IDLE_SECONDS)
                elif sent < MANY_EVENTS:
                    await self._sleep(BUSY_SECONDS)
                elif sent < BATCH_EVENTS:
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            connection.terminate()

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()

    async def _relay_batch(self, connection: "asyncpg.Connection[asyncpg.Record]") -> int:
        """Send one batch; 0 when there is nothing or another worker holds the lock."""
        try:
            async with connection.transaction():
                if not await connection.fetchval(_TRY_LOCK, RELAY_LOCK):
                    return 0
                rows = await connection.fetch(_TAKE, BATCH_EVENTS)
                if rows:
                    # RETURNING promises no order; positions do.
                    rows.sort(key=lambda row: row["position"])
                    await self._producer.send([outgoing_of(row) for row in rows])
        except (KafkaError, TimeoutError) as error:
            OUTBOX_FAILURES.inc()
            logger.warning("relay_send_failed", error=repr(error))
            await asyncio.sleep(IDLE_SECONDS)
            return 0
        for topic, count in Counter(row["topic"] for row in rows).items():
            OUTBOX_SENT.labels(topic).inc(count)
        return len(rows)

    async def _observe(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        [row] = await connection.fetch(_OBSERVE)
        OUTBOX_DEPTH.set(row["count"])
        OUTBOX_OLDEST_SECONDS.set(float(row["age"] or 0))
