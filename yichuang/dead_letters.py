"""Dead letters: what a consumer group could not handle, read, sent again and dropped."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import ConsumerRecord

from servicekit.inbox import KEEP_DAYS
from servicekit.producer import Outgoing, Producer

#: Between the topic an event came from and the group that could not handle it.
SEPARATOR = ".dlq."
_PREFIX = "dlq_"
READ_SECONDS = 30.0
BATCH = 500


class NoSuchTopic(Exception):
    """The broker has no dead-letter topic of this name."""


class NoSuchRecord(Exception):
    """Nothing is at this offset, or not any more."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """A dead-letter topic and the offsets it holds, `first` up to and without `end`."""

    topic: str
    first: int
    end: int

    @property
    def origin(self) -> str:
        return self.topic.partition(SEPARATOR)[0]

    @property
    def group(self) -> str:
        return self.topic.partition(SEPARATOR)[2]

    @property
    def count(self) -> int:
        return self.end - self.first


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event as it came, and why it was buried."""

    offset: int
    buried_at: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def header(self, name: str) -> str | None:
        found = dict(self.headers).get(name)
        return found.decode("utf-8", "replace") if found is not None else None

    @property
    def original_headers(self) -> list[tuple[str, bytes]]:
        """The headers it came with: those that were added when it was buried are left out."""
        return [(name, value) for name, value in self.headers if not name.startswith(_PREFIX)]

    def is_forgotten(self, now: datetime) -> bool:
        """Whether other consumers may no longer know that they have handled it.

        A consumer notes an event after it was recorded, so a young event is surely still noted.
        """
        recorded_at = self.header("ce_time")
        if recorded_at is None:
            return False  # without its headers no consumer could have handled it
        try:
            return datetime.fromisoformat(recorded_at) < now - timedelta(days=KEEP_DAYS)
        except (TypeError, ValueError):
            return False


async def list_backlogs(bootstrap_servers: str) -> list[Backlog]:
    """Every dead-letter topic, the fullest first."""
    async with _admin(bootstrap_servers) as admin:
        topics = sorted(topic for topic in await admin.list_topics() if SEPARATOR in topic)
    async with _consumer(bootstrap_servers) as consumer:
        backlogs = [await _backlog(consumer, topic) for topic in topics]
    return sorted(backlogs, key=lambda backlog: (-backlog.count, backlog.topic))


async def read(
    bootstrap_servers: str, topic: str, *, offset: int | None = None, limit: int | None = None
) -> list[DeadLetter]:
    """Read a topic from its beginning, or the one record at an offset.

    Raises:
        NoSuchTopic, NoSuchRecord.
    """
    await _ensure_exists(bootstrap_servers, topic)
    async with _consumer(bootstrap_servers) as consumer:
        backlog = await _backlog(consumer, topic)
        if offset is not None:
            if not backlog.first <= offset < backlog.end:
                raise NoSuchRecord(f"{topic} has no offset {offset}: {_held(backlog)}")
            return await _read_range(consumer, topic, offset, offset + 1)
        end = backlog.end if limit is None else min(backlog.end, backlog.first + limit)
        return await _read_range(consumer, topic, backlog.first, end)


async def replay(
    bootstrap_servers: str, topic: str, letters: Sequence[DeadLetter], *, even_if_old: bool = False
) -> tuple[list[DeadLetter], list[DeadLetter]]:
    """Send letters to the topic they came from, in order; return the sent and the held back.

    They keep their `ce_id`: consumers that have handled them see a duplicate, while the one that
    failed has no note of them, for its transaction was rolled back. Held back are events so old
    that those notes are gone, unless `even_if_old`.
    """
    now = datetime.now(UTC)
    sent: list[DeadLetter] = []
    held_back: list[DeadLetter] = []
    for letter in letters:
        fits = even_if_old or not letter.is_forgotten(now)
        (sent if fits else held_back).append(letter)
    producer = Producer(bootstrap_servers)
    origin = topic.partition(SEPARATOR)[0]
    try:
        for start in range(0, len(sent), BATCH):
            await producer.send(
                [
                    Outgoing(origin, letter.key, letter.value, letter.original_headers)
                    for letter in sent[start : start + BATCH]
                ]
            )
    finally:
        await producer.stop()
    return sent, held_back


async def drop(bootstrap_servers: str, topic: str, *, up_to: int | None) -> int:
    """Delete the records up to and with an offset, or all of them; return how many.

    Raises:
        NoSuchTopic, NoSuchRecord.
    """
    await _ensure_exists(bootstrap_servers, topic)
    async with _consumer(bootstrap_servers) as consumer:
        backlog = await _backlog(consumer, topic)
    if up_to is not None and not backlog.first <= up_to < backlog.end:
        raise NoSuchRecord(f"{topic} has no offset {up_to}: {_held(backlog)}")
    before = backlog.end if up_to is None else up_to + 1
    if before > backlog.first:
        partition = TopicPartition(topic, 0)
        async with _admin(bootstrap_servers) as admin:
            await admin.delete_records({partition: RecordsToDelete(before_offset=before)})
    return before - backlog.first


def _held(backlog: Backlog) -> str:
    return f"it holds {backlog.first} to {backlog.end - 1}" if backlog.count else "it is empty"


async def _read_range(
    consumer: AIOKafkaConsumer, topic: str, first: int, end: int
) -> list[DeadLetter]:
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek(partition, first)
    found: list[DeadLetter] = []
    while first + len(found) < end:
        batch = await consumer.getmany(
            partition, timeout_ms=int(READ_SECONDS * 1000), max_records=end - first - len(found)
        )
        if not batch:
            raise TimeoutError(f"{topic} could not be read in {READ_SECONDS:.0f} s")
        found += [_letter(record) for record in batch[partition]]
    return found


def _letter(record: "ConsumerRecord[bytes, bytes]") -> DeadLetter:
    buried_at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return DeadLetter(record.offset, buried_at, record.key, record.value, tuple(record.headers))


async def _backlog(consumer: AIOKafkaConsumer, topic: str) -> Backlog:
    partition = TopicPartition(topic, 0)
    first = await consumer.beginning_offsets([partition])
    end = await consumer.end_offsets([partition])
    return Backlog(topic, first[partition], end[partition])


async def _ensure_exists(bootstrap_servers: str, topic: str) -> None:
    async with _admin(bootstrap_servers) as admin:
        if SEPARATOR not in topic or topic not in await admin.list_topics():
            raise NoSuchTopic(f"no dead-letter topic {topic}; `yichuang dlq list` shows them")


@asynccontextmanager
async def _admin(bootstrap_servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def _consumer(bootstrap_servers: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader that belongs to no group and leaves no trace."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()
