"""Dead letters: what a consumer group could not handle, read, sent again and dropped."""

from collections.abc import AsyncIterator, Mapping, Sequence
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
    """A dead-letter topic and the offsets it holds: partition → first, and the one after the last.

    Our topics have one partition; others' brokers may have given them more.
    """

    topic: str
    offsets: Mapping[int, tuple[int, int]]

    @property
    def count(self) -> int:
        return sum(end - first for first, end in self.offsets.values())

    def held(self, partition: int) -> str:
        """What a partition holds, in words."""
        first, end = self.offsets.get(partition, (0, 0))
        return f"offsets {first} to {end - 1}" if end > first else "nothing"

    def ensure_holds(self, partition: int, offset: int) -> None:
        """Check that a record may be there.

        Raises:
            NoSuchRecord: it is not.
        """
        first, end = self.offsets.get(partition, (0, 0))
        if not first <= offset < end:
            where = f"{self.topic} partition {partition}"
            raise NoSuchRecord(f"{where} has no offset {offset}: it holds {self.held(partition)}")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event as it came, and why it was buried."""

    partition: int
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
    partitions = await _dead_letter_partitions(bootstrap_servers)
    async with _consumer(bootstrap_servers) as consumer:
        backlogs = [await _backlog(consumer, *topic) for topic in partitions.items()]
    return sorted(backlogs, key=lambda backlog: (-backlog.count, backlog.topic))


async def read(
    bootstrap_servers: str,
    topic: str,
    *,
    partition: int = 0,
    offset: int | None = None,
    limit: int | None = None,
) -> list[DeadLetter]:
    """Read the oldest records of a topic, or the one at an offset of a partition.

    Raises:
        NoSuchTopic, NoSuchRecord.
    """
    numbers = await _partitions_of(bootstrap_servers, topic)
    async with _consumer(bootstrap_servers) as consumer:
        backlog = await _backlog(consumer, topic, numbers)
        if offset is not None:
            backlog.ensure_holds(partition, offset)
            return await _read_range(consumer, topic, partition, offset, offset + 1)
        letters: list[DeadLetter] = []
        for number, (first, end) in backlog.offsets.items():
            last = end if limit is None else min(end, first + limit)
            letters += await _read_range(consumer, topic, number, first, last)
    letters.sort(key=lambda letter: (letter.buried_at, letter.partition, letter.offset))
    return letters[:limit]


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


async def drop(bootstrap_servers: str, topic: str, *, partition: int = 0, up_to: int | None) -> int:
    """Delete a partition's records up to and with an offset, or all of the topic; return how many.

    Raises:
        NoSuchTopic, NoSuchRecord.
    """
    numbers = await _partitions_of(bootstrap_servers, topic)
    async with _consumer(bootstrap_servers) as consumer:
        backlog = await _backlog(consumer, topic, numbers)
    if up_to is None:
        ends = {number: end for number, (_, end) in backlog.offsets.items()}
    else:
        backlog.ensure_holds(partition, up_to)
        ends = {partition: up_to + 1}
    counts = {number: end - backlog.offsets[number][0] for number, end in ends.items()}
    wanted = {
        TopicPartition(topic, number): RecordsToDelete(before_offset=ends[number])
        for number, count in counts.items()
        if count
    }
    if wanted:
        async with _admin(bootstrap_servers) as admin:
            await admin.delete_records(wanted)
    return sum(counts.values())


async def _read_range(
    consumer: AIOKafkaConsumer, topic: str, number: int, first: int, end: int
) -> list[DeadLetter]:
    partition = TopicPartition(topic, number)
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
    return DeadLetter(
        record.partition,
        record.offset,
        datetime.fromtimestamp(record.timestamp / 1000, UTC),
        record.key,
        record.value,
        tuple(record.headers),
    )


async def _backlog(consumer: AIOKafkaConsumer, topic: str, numbers: Sequence[int]) -> Backlog:
    partitions = [TopicPartition(topic, number) for number in numbers]
    first = await consumer.beginning_offsets(partitions)
    end = await consumer.end_offsets(partitions)
    return Backlog(topic, {each.partition: (first[each], end[each]) for each in partitions})


async def _partitions_of(bootstrap_servers: str, topic: str) -> list[int]:
    partitions = await _dead_letter_partitions(bootstrap_servers)
    if topic not in partitions:
        raise NoSuchTopic(f"no dead-letter topic {topic}; `yichuang dlq list` shows them")
    return partitions[topic]


async def _dead_letter_partitions(bootstrap_servers: str) -> dict[str, list[int]]:
    """The partitions of every dead-letter topic, by name."""
    async with _admin(bootstrap_servers) as admin:
        names = sorted(topic for topic in await admin.list_topics() if SEPARATOR in topic)
        described = await admin.describe_topics(names) if names else []
    return {
        topic["topic"]: sorted(each["partition"] for each in topic["partitions"])
        for topic in described
    }


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
