"""Rebuild a local copy from the compacted topic alone, and say what it differed in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import ConsumerRecord
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope, Event
from servicekit.bus import Handlers
from servicekit.database import Database


@dataclass(frozen=True, slots=True)
class Projection:
    """A local copy: its tables and the handlers that keep it."""

    topic: str
    #: Emptied before, children first.
    tables: Sequence[str]
    handlers: Handlers


async def rebuild(projection: Projection, database: Database, bootstrap_servers: str) -> str:
    """Read the topic from its beginning to its end into emptied tables, in one transaction.

    What no consumer could read either is left out and counted.

    Concurrency: locks the tables against the running consumer until it commits.
    """
    events = {event.event_type: event for event in projection.handlers}
    applied = unreadable = 0
    async with _reader(projection.topic, bootstrap_servers) as read_on:
        records = await read_on()
        async with database.transaction() as session:
            for table in projection.tables:
                await session.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
            # What the consumer applied before the lock would be deleted below, and never come again.
            records += await read_on()
            before = await _digests(session, projection.tables)
            for table in projection.tables:
                await session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names come from code
            for record in records:
                try:
                    found = _parse(record, events)
                except (ValueError, TypeError):
                    unreadable += 1
                    continue
                if found is None:
                    continue
                envelope, event = found
                for handler in projection.handlers[type(event)]:
                    await handler(session, event, envelope)
                applied += 1
            after = await _digests(session, projection.tables)
    changed = [table for table in projection.tables if before[table] != after[table]]
    verdict = f"differed: {', '.join(changed)}" if changed else "identical to what was there"
    if unreadable:
        verdict += f"; {unreadable} events cannot be read and were left out"
    return f"{projection.topic}: {applied} events applied, {verdict}"


def _parse(
    record: "ConsumerRecord[bytes, bytes]", events: Mapping[str, type[Event]]
) -> tuple[Envelope, Event] | None:
    """The event of a record, None for a type that the copy does not need.

    Raises:
        ValueError, TypeError: headers or body are malformed.
    """
    envelope = Envelope.from_headers(record.headers)
    event_class = events.get(envelope.type)
    if event_class is None:
        return None
    return envelope, event_class.model_validate(orjson.loads(record.value or b""))


@asynccontextmanager
async def _reader(
    topic: str, bootstrap_servers: str
) -> AsyncIterator[Callable[[], Awaitable[list[Any]]]]:
    """Give a function that reads what it has not read yet, up to the topic's end at its call."""
    numbers = await _partitions(topic, bootstrap_servers)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    partitions = [TopicPartition(topic, number) for number in numbers]

    async def read_on() -> list[Any]:
        records: list[Any] = []
        for partition, end in (await consumer.end_offsets(partitions)).items():
            while await consumer.position(partition) < end:
                batch = await consumer.getmany(partition, timeout_ms=1000)
                records += batch.get(partition, ())
        return records

    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        yield read_on
    finally:
        await consumer.stop()


async def _partitions(topic: str, bootstrap_servers: str) -> list[int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        (described,) = await admin.describe_topics([topic])
        return sorted(partition["partition"] for partition in described["partitions"])
    finally:
        await admin.close()


async def _digests(session: AsyncSession, tables: Sequence[str]) -> dict[str, str | None]:
    """A digest of each table's content, whatever the order of its rows."""
    digests = {}
    for table in tables:
        rows = await session.execute(
            text(f"SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM {table} t")  # noqa: S608
        )
        digests[table] = rows.scalar_one()
    return digests
