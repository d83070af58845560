"""The relay: what was committed is sent, in order per key, and is gone from the outbox."""

import asyncio
from collections import defaultdict
from uuid import UUID, uuid4

import pytest

from contracts.envelope import Envelope
from servicekit import relay
from servicekit.outbox import MAX_EVENT_BYTES, record
from servicekit.producer import Producer
from tests.servicekit.helpers import (
    fresh_event,
    notes,
    outbox_is_empty,
    read,
    relaying,
    terminate,
    until,
    write_events,
)
from tests.servicekit.sample.events import NoteWritten
from tests.support.tokens import resident

pytestmark = pytest.mark.kafka


@pytest.fixture
async def event(broker):
    """An event class on a topic of this test alone."""
    return await fresh_event(broker, NoteWritten)


def ids(records) -> list[UUID]:
    return [Envelope.from_headers(record.headers).id for record in records]


def titles_by_key(records) -> dict[bytes, list[int]]:
    """Numbers in the titles, per key, in the order in which they lie in the topic."""
    found: dict[bytes, list[int]] = defaultdict(list)
    for kafka_record in records:
        event = NoteWritten.model_validate_json(kafka_record.value)
        found[kafka_record.key].append(int(event.title))
    return found


async def write_numbered(database, event, *, aggregates: int, each: int) -> None:
    """Events numbered per aggregate; aggregates write at the same time, each in order."""

    async def one(note_id: UUID) -> None:
        for number in range(each):
            await write_events(database, event(note_id=note_id, title=str(number)))

    await asyncio.gather(*(one(uuid4()) for _ in range(aggregates)))


class WideNote(NoteWritten):
    numbers: list[int]


class TestSending:
    async def test_everything_is_sent_in_order_and_deleted(
        self, sample, database, broker, producer, event
    ):
        async with relaying(database, producer):
            await write_numbered(database, event, aggregates=4, each=15)
            await until(lambda: outbox_is_empty(sample))
        records = await read(broker, event.topic, 60)
        assert list(titles_by_key(records).values()) == [list(range(15))] * 4

    async def test_the_record_carries_the_event_in_binary_mode(
        self, sample, database, broker, producer, event
    ):
        note_id = uuid4()
        await write_events(database, event(note_id=note_id, title="低保申请"))
        [row] = await sample.fetch("SELECT id, time FROM outbox_message")
        async with relaying(database, producer):
            await until(lambda: outbox_is_empty(sample))
        [sent] = await read(broker, event.topic, 1)
        envelope = Envelope.from_headers(sent.headers)
        assert sent.key == str(note_id).encode()
        assert NoteWritten.model_validate_json(sent.value).title == "低保申请"
        assert (envelope.id, envelope.time) == (row["id"], row["time"])
        assert (envelope.type, envelope.source) == (NoteWritten.event_type, "/sample")
        assert envelope.subject == str(note_id)
        assert dict(sent.headers)["ce_specversion"] == b"1.0"

    async def test_more_than_one_batch(
        self, sample, database, broker, producer, event, monkeypatch
    ):
        monkeypatch.setattr(relay, "BATCH_EVENTS", 7)
        await write_events(database, *notes(event, [str(n) for n in range(50)], uuid4()))
        async with relaying(database, producer):
            await until(lambda: outbox_is_empty(sample))
        records = await read(broker, event.topic, 50)
        assert list(titles_by_key(records).values()) == [list(range(50))]

    async def test_the_largest_event_is_sent(self, sample, database, broker, producer):
        """Numbers in a list gain most by PostgreSQL's spaces; no other shape of JSON gains more."""
        event = await fresh_event(broker, WideNote)
        numbers = [1] * (MAX_EVENT_BYTES // 2 - 100)
        await write_events(database, event(note_id=uuid4(), title="一", numbers=numbers))
        async with relaying(database, producer):
            await until(lambda: outbox_is_empty(sample))
        [sent] = await read(broker, event.topic, 1)
        assert len(sent.value) > MAX_EVENT_BYTES

    async def test_a_lower_position_that_commits_late_is_sent(
        self, sample, database, broker, producer, event
    ):
        early, late = notes(event, ["0", "1"])
        async with relaying(database, producer):
            async with database.transaction() as session:
                await record(session, early)
                await write_events(database, late)
                await until(lambda: outbox_is_empty(sample))
            await until(lambda: outbox_is_empty(sample))
        assert {sent.key for sent in await read(broker, event.topic, 2)} == {
            str(early.note_id).encode(),
            str(late.note_id).encode(),
        }


class TestTwoRelays:
    async def test_keep_the_order_and_double_nothing(self, sample, database, broker, event):
        one, two = (Producer(broker.bootstrap_servers) for _ in range(2))
        async with relaying(database, one), relaying(database, two):
            await write_numbered(database, event, aggregates=5, each=60)
            await until(lambda: outbox_is_empty(sample))
        records = await read(broker, event.topic, 300)
        assert list(titles_by_key(records).values()) == [list(range(60))] * 5
        assert len(set(ids(records))) == 300

    async def test_the_other_goes_on_when_one_stops(self, sample, database, broker, event):
        one, two = (Producer(broker.bootstrap_servers) for _ in range(2))
        async with relaying(database, two):
            async with relaying(database, one):
                await write_events(database, *notes(event, ["0"]))
                await until(lambda: outbox_is_empty(sample))
            await write_events(database, *notes(event, ["1"]))
            await until(lambda: outbox_is_empty(sample))
        assert len(await read(broker, event.topic, 2)) == 2


class TestNudge:
    """With an idle poll of an hour only the nudge can have woken the relay."""

    @pytest.fixture(autouse=True)
    def _long_idle(self, monkeypatch):
        monkeypatch.setattr(relay, "IDLE_SECONDS", 3600.0)

    async def test_wakes_an_idle_relay(self, sample, database, producer, event):
        async with relaying(database, producer):
            await until(lambda: relay_sleeps(sample))
            await write_events(database, *notes(event, ["0"]))
            assert await sample.count("outbox_message") == 1
            database.nudge_relay()
            await until(lambda: outbox_is_empty(sample))

    async def test_is_given_after_the_commit_of_a_request(
        self, sample, database, producer, sample_topics
    ):
        async with relaying(database, producer):
            await until(lambda: relay_sleeps(sample))
            answer = await sample.client.post("/v1/notes", json={"title": "一"}, headers=resident())
            assert answer.status_code == 201
            await until(lambda: outbox_is_empty(sample))

    async def test_survives_a_lost_database(self, sample, database):
        await terminate(sample.at.admin_dsn, "sample.api")
        sample.database.nudge_relay()
        nudger = sample.database._nudger
        await asyncio.wait([nudger])
        assert nudger.exception() is None


async def relay_sleeps(sample) -> bool:
    """Whether a relay found nothing and waits."""
    rows = await sample.fetch(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'test.worker.single' "
        "AND state = 'idle' AND query LIKE 'COMMIT%'"
    )
    return bool(rows)
