"""Kafka: topics, and the consumer loop with its three outcomes.

handled → the effect is committed, then the offset; poison → dead-letter topic, then the offset;
transient → the partition waits and tries again. Nothing is skipped.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.structs import ConsumerRecord
from opentelemetry.trace import SpanKind
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope, Event
from contracts.topics import Topic
from servicekit import inbox
from servicekit.database import Database
from servicekit.logging import logger
from servicekit.metrics import CONSUMED, CONSUMER_LAG, CONSUMER_RETRIES
from servicekit.producer import Outgoing, Producer
from servicekit.tracing import span
from servicekit.transient import is_transient

Handler = Callable[[AsyncSession, Any, Envelope], Awaitable[None]]
#: Event type → what is done with it, in order.
Handlers = Mapping[type[Event], Sequence[Handler]]
Batches = Mapping[TopicPartition, list[Any]]

#: Events that share a transaction while nothing goes wrong, whatever their partitions.
CHUNK_EVENTS = 100
POLL_MILLISECONDS = 500
RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
STOP_SECONDS = 3.0
#: A failure that is none of the known transient ones is poison after this many tries.
UNKNOWN_FAILURE_TRIES = 3


class Poison(Exception):
    """The event can never be handled; its reason goes with it to the dead letters."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one consumer group of a service takes from one or more topics."""

    #: `<service>.<purpose>`; the Kafka group and the inbox's consumer name.
    group: str
    handlers: Handlers

    @property
    def topics(self) -> list[str]:
        return sorted({event.topic for event in self.handlers})

    @property
    def events(self) -> dict[str, type[Event]]:
        return {event.event_type: event for event in self.handlers}


async def create_topics(bootstrap_servers: str, topics: Sequence[Topic]) -> None:
    """Create the topics that are missing; existing ones are left as they are."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        wanted = [_new_topic(topic) for topic in topics if topic.name not in there]
        if wanted:
            answer = await admin.create_topics(wanted)
            for name, code, *_ in answer.topic_errors:
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise for_code(code)(f"topic {name}")
    finally:
        await admin.close()


def _new_topic(topic: Topic) -> NewTopic:
    # -1: as many copies as the cluster makes by default. The client takes it only beside an
    # assignment of replicas; an empty one assigns nothing.
    return NewTopic(
        topic.name, topic.partitions, -1, replica_assignments={}, topic_configs=topic.config()
    )


class Consumer:
    """Runs one subscription until cancelled."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        database: Database,
        bootstrap_servers: str,
    ) -> None:
        self._subscription = subscription
        self._database = database
        self._bootstrap_servers = bootstrap_servers
        self._dead_letters = Producer(bootstrap_servers)
        self._events = subscription.events

    async def run(self) -> None:
        """Consume; a lost broker is waited for."""
        try:
            while True:
                await self._until_broker_is_lost()
                await asyncio.sleep(RETRY_SECONDS[2])
        finally:
            await self._dead_letters.stop()

    async def _until_broker_is_lost(self) -> None:
        consumer = self._create()
        try:
            await consumer.start()
            await self._loop(consumer)
        except (KafkaError, OSError) as error:
            logger.warning("consumer_lost_broker", error=repr(error), group=self.group)
        finally:
            await _stop(consumer)

    @property
    def group(self) -> str:
        return self._subscription.group

    def _create(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            *self._subscription.topics,
            bootstrap_servers=self._bootstrap_servers,
            group_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=10_000,
            heartbeat_interval_ms=3_000,
            max_poll_interval_ms=300_000,
        )

    async def _loop(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=CHUNK_EVENTS)
            if batches:
                await self._take(consumer, batches)
            await self._observe_lag(consumer)

    async def _take(self, consumer: AIOKafkaConsumer, batches: Batches) -> None:
        """Handle what a poll brought, each partition's records in order, then commit offsets."""
        if await self._whole_chunk([record for records in batches.values() for record in records]):
            await _commit(consumer, batches)
            return
        for partition, records in batches.items():
            if len(batches) == 1 or not await self._whole_chunk(records):
                for record in records:
                    await self._one(record)
            await _commit(consumer, {partition: records})

    async def _whole_chunk(self, records: list[Any]) -> bool:
        """The usual case: every record in one transaction. False when any of them failed."""
        outcomes: list[str] = []
        try:
            async with self._database.transaction() as session:
                outcomes = await self._handle(session, records)
        except Exception as error:  # noqa: BLE001 - each record is tried again by itself
            logger.info("consumer_chunk_split", group=self.group, error=repr(error))
            return False
        self._handled(outcomes)
        return True

    def _handled(self, outcomes: list[str]) -> None:
        for outcome in outcomes:
            CONSUMED.labels(self.group, outcome).inc()
        if "handled" in outcomes:
            self._database.nudge_relay()

    async def _one(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        """One record in its own transaction, as often as it takes."""
        unknown_failures = 0
        for attempt in count():
            try:
                async with self._database.transaction() as session:
                    outcomes = await self._handle(session, [record])
            except Exception as error:  # noqa: BLE001 - sorted into poison and transient below
                if not (is_transient(error) or isinstance(error, KafkaError)):
                    unknown_failures += 1
                poison = isinstance(error, Poison | ValidationError)
                if poison or unknown_failures >= UNKNOWN_FAILURE_TRIES:
                    await self._bury(record, error)
                    return
                CONSUMER_RETRIES.labels(self.group).inc()
                logger.warning(
                    "consumer_retries", group=self.group, offset=record.offset, error=repr(error)
                )
                await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            else:
                self._handled(outcomes)
                return

    async def _handle(self, session: AsyncSession, records: Sequence[Any]) -> list[str]:
        events = [self._parse(record) for record in records]
        new = await inbox.first_times(
            session, self.group, {envelope.id for envelope, event in events if event}
        )
        outcomes = []
        for envelope, event in events:
            if event is None:
                outcomes.append("ignored")
            elif envelope.id not in new:
                outcomes.append("duplicate")
            else:
                new.remove(envelope.id)
                with span(f"consume {envelope.type}", SpanKind.CONSUMER, envelope.traceparent):
                    for handler in self._subscription.handlers[type(event)]:
                        await handler(session, event, envelope)
                outcomes.append("handled")
        return outcomes

    def _parse(self, record: Any) -> tuple[Envelope, Event | None]:
        """The event of a record; None for a type that nobody here takes."""
        try:
            envelope = Envelope.from_headers(record.headers)
        except ValueError as error:
            raise Poison(str(error)) from None
        event_class = self._events.get(envelope.type)
        if event_class is None:
            return envelope, None
        return envelope, event_class.model_validate(_body(record.value))

    async def _bury(self, record: "ConsumerRecord[bytes, bytes]", error: Exception) -> None:
        """Send the record as it came to the dead letters; wait for Kafka as long as it takes."""
        topic = f"{record.topic}.dlq.{self.group}"
        headers = [
            *record.headers,
            ("dlq_reason", repr(error)[:1000].encode()),
            ("dlq_origin", f"{record.topic}/{record.partition}/{record.offset}".encode()),
        ]
        # A record of neither key nor body can be received, but not be sent by this client.
        value = b"" if record.key is None and record.value is None else record.value
        letter = Outgoing(topic, record.key, value, headers)
        for attempt in count():
            try:
                await self._dead_letters.send([letter])
            except (KafkaError, TimeoutError) as failure:
                logger.warning("dead_letter_waits", topic=topic, error=repr(failure))
                await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            else:
                break
        CONSUMED.labels(self.group, "dead").inc()
        logger.error("event_buried", topic=topic, error=repr(error))

    async def _observe_lag(self, consumer: AIOKafkaConsumer) -> None:
        lag: dict[str, int] = dict.fromkeys(self._subscription.topics, 0)
        for partition in consumer.assignment():
            end = consumer.highwater(partition)
            if end is not None:  # something was fetched: the position is known, nothing is awaited
                lag[partition.topic] += max(0, end - await consumer.position(partition))
        for topic, events in lag.items():
            CONSUMER_LAG.labels(self.group, topic).set(events)


async def _commit(consumer: AIOKafkaConsumer, batches: Batches) -> None:
    mine = consumer.assignment() & batches.keys()
    if mine:
        await consumer.commit({partition: batches[partition][-1].offset + 1 for partition in mine})


async def _stop(consumer: AIOKafkaConsumer) -> None:
    """Leave the group; a broker that does not answer is not waited for long."""
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.wait([stopping], timeout=STOP_SECONDS)
    if not stopping.done():  # what waits for an answer gets an error instead
        await consumer._client.close()
    await stopping


def _body(value: bytes | None) -> Any:
    if value is None:
        raise Poison("the event has no body")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Poison(f"the body is not JSON: {error}") from None
