"""What the tests of servicekit share: waiting, topics, reading and writing Kafka by hand."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.structs import ConsumerRecord
from prometheus_client import REGISTRY
from sqlalchemy import text

from contracts.envelope import Envelope, Event
from contracts.topics import Topic, dead_letter_topic
from devstack.broker import Broker
from servicekit.bus import Consumer, Subscription, create_topics
from servicekit.database import Database
from servicekit.outbox import record
from servicekit.producer import Outgoing, Producer
from servicekit.relay import Relay
from tests.servicekit.sample.events import NoteWritten

DEADLINE_SECONDS = 90.0
POLL_SECONDS = 0.02
#: Seconds from now by the database's clock.
IN = text("SELECT now() + make_interval(secs => :seconds)")


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = DEADLINE_SECONDS) -> Any:
    """Poll until the condition holds; return what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(POLL_SECONDS)
    return found


@asynccontextmanager
async def running_task(main: Any) -> AsyncIterator[asyncio.Task[None]]:
    """Run a coroutine beside the test; it is an error when it ends by itself."""
    task = asyncio.ensure_future(main)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
            pytest.fail("it ended by itself")


async def outbox_is_empty(sample) -> bool:
    return await sample.count("outbox_message") == 0


@asynccontextmanager
async def relaying(database: Database, producer: Producer) -> AsyncIterator[asyncio.Task[None]]:
    """A relay at work."""
    try:
        async with running_task(Relay(database, producer).run()) as task:
            yield task
    finally:
        await producer.stop()


@asynccontextmanager
async def consuming(
    database: Database, broker: Broker, group: str, handlers: Any, kind: type[Consumer] = Consumer
) -> AsyncIterator[asyncio.Task[None]]:
    """A consumer at work."""
    consumer = kind(
        Subscription(group, handlers),
        database=database,
        bootstrap_servers=broker.bootstrap_servers,
    )
    async with running_task(consumer.run()) as task:
        yield task


async def make_topics(broker: Broker, *topics: Topic) -> None:
    """Create topics; the stand-in makes them when they are first named."""
    if broker.is_apache:
        await create_topics(broker.bootstrap_servers, topics)
        return
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    try:
        await admin.describe_topics([topic.name for topic in topics])
    finally:
        await admin.close()


async def fresh_event(
    broker: Broker, event: type[Event], *, group: str = "", partitions: int = 3
) -> Any:
    """The event class on a topic of its own, with its dead letters."""
    name = f"test.{uuid4().hex[:12]}.v1"
    topic = Topic(name, partitions, False, "a test's")
    dead = [dead_letter_topic(name, group)] if group else []
    await make_topics(broker, topic, *dead)
    return type(event.__name__, (event,), {"topic": name, "__module__": event.__module__})


async def write_events(database: Database, *events: Event) -> None:
    """Write events in one transaction."""
    async with database.transaction() as session:
        await record(session, *events)


def envelope_for(event: Event, event_id: UUID | None = None) -> Envelope:
    now = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    return Envelope(event_id or uuid4(), event.event_type, event.source, event.key, now)


def outgoing(event: Event, event_id: UUID | None = None, **changes: Any) -> Outgoing:
    """An event as the relay would send it, except for `changes`."""
    headers = envelope_for(event, event_id).headers()
    sound = Outgoing(event.topic, event.key.encode(), event.model_dump_json().encode(), headers)
    return sound._replace(**changes)


async def send(broker: Broker, *records: Outgoing) -> None:
    producer = Producer(broker.bootstrap_servers)
    try:
        await producer.send(records)
    finally:
        await producer.stop()


async def partitions_of(admin: AIOKafkaAdminClient, topic: str) -> list[TopicPartition]:
    """A topic's partitions; a broker tells of a new topic a moment after it has made it."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            (described,) = await admin.describe_topics([topic])
            if described["partitions"]:
                return [
                    TopicPartition(topic, each["partition"]) for each in described["partitions"]
                ]
            await asyncio.sleep(0.02)


@asynccontextmanager
async def reading(broker: Broker, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader of every partition of a topic from its beginning."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    partitions = await partitions_of(admin, topic)
    await admin.close()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        consumer.assign(partitions)
        yield consumer
    finally:
        await consumer.stop()


async def read(broker: Broker, topic: str, count: int) -> "list[ConsumerRecord[bytes, bytes]]":
    """At least `count` records of a topic, in order per partition."""
    records: list[Any] = []
    async with reading(broker, topic) as consumer, asyncio.timeout(DEADLINE_SECONDS):
        while len(records) < count:
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += batch
    return records


async def committed(broker: Broker, group: str, topic: str) -> int:
    """How many records of a topic a group has behind it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    try:
        partitions = await partitions_of(admin, topic)
        offsets = await admin.list_consumer_group_offsets(group, partitions=partitions)
    except GroupCoordinatorNotAvailableError:  # no group was there before
        return 0
    finally:
        await admin.close()
    return sum(max(0, at.offset) for at in offsets.values())


def notes(event: type[NoteWritten], titles: Sequence[str], note_id: UUID | None = None) -> Any:
    return [event(note_id=note_id or uuid4(), title=title) for title in titles]


async def terminate(dsn: str, application_name: str) -> int:
    """End the backends of one application; returns how many there were."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = $1 AND pid <> pg_backend_pid()",
            application_name,
        )
    finally:
        await connection.close()
    return len(rows)


def counted(group: str, outcome: str) -> float:
    """How many events of a group had this outcome."""
    labels = {"consumer": group, "outcome": outcome}
    return REGISTRY.get_sample_value("consumer_events_total", labels) or 0.0


async def effects(sample) -> list[str]:
    rows = await sample.fetch("SELECT what FROM effect ORDER BY position")
    return [row["what"] for row in rows]
