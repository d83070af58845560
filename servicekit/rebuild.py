"""Rebuild a local copy from the compacted topic alone, and say what it differed in."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
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

    Concurrency: locks the tables against the running consumer until it commits.
    """
    records = await _read_all(projection.topic, bootstrap_servers)
    events = {event.event_type: event for event in projection.handlers}
    applied = 0
    async with database.transaction() as session:
        for table in projection.tables:
            await session.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
        before = await _digests(session, projection.tables)
        for table in projection.tables:
            await session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names come from code
        for envelope, payload in records:
            event_class = events.get(envelope.type)
            if event_class is None:
                continue
            event = event_class.model_validate(payload)
            for handler in projection.handlers[event_class]:
                await handler(session, event, envelope)
            applied += 1
        after = await _digests(session, projection.tables)
    changed = [table for table in projection.tables if before[table] != after[table]]
    verdict = f"differed: {', '.join(changed)}" if changed else "identical to what was there"
    return f"{projection.topic}: {applied} events applied, {verdict}"


async def _read_all(topic: str, bootstrap_servers: str) -> list[tuple[Envelope, object]]:
    numbers = await _partitions(topic, bootstrap_servers)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in numbers]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        records = []
        for partition, end in ends.items():
            await consumer.seek_to_beginning(partition)
            while await consumer.position(partition) < end:
                batch = await consumer.getmany(partition, timeout_ms=1000)
                for record in batch.get(partition, ()):
                    envelope = Envelope.from_headers(record.headers)
                    records.append((envelope, orjson.loads(record.value)))
        return records
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
