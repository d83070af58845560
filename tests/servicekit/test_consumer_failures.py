"""What a consumer cannot handle: poison is put aside, anything else is tried again in place."""

import asyncio
from uuid import uuid4

import confluent_kafka
import pytest
from sqlalchemy import text

from contracts.topics import dead_letter_topic
from servicekit import bus
from servicekit import producer as producing
from servicekit.bus import Poison
from tests.servicekit.helpers import (
    committed,
    consuming,
    counted,
    effects,
    fresh_event,
    make_topics,
    notes,
    outgoing,
    read,
    send,
    until,
)
from tests.servicekit.sample.events import NoteWritten
from tests.servicekit.sample.worker import note_effect

pytestmark = pytest.mark.kafka


@pytest.fixture
def group():
    return f"sample.{uuid4().hex[:8]}"


@pytest.fixture
async def event(broker, group):
    return await fresh_event(broker, NoteWritten, group=group, partitions=1)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(bus, "RETRY_SECONDS", (0.01, 0.02))


async def all_committed(broker, group, event, count) -> bool:
    return await committed(broker, group, event.topic) == count


def without(header: str, record):
    kept = [(name, value) for name, value in record.headers if name != header]
    return record._replace(headers=kept)


def replaced(header: str, to: bytes | None, record):
    pairs = [(name, to if name == header else value) for name, value in record.headers]
    return record._replace(headers=pairs)


POISON = {
    "no id": (lambda sound: without("ce_id", sound), "ce_id"),
    "an id that is none": (lambda sound: replaced("ce_id", b"7", sound), "UUID"),
    "an id of nothing": (lambda sound: replaced("ce_id", None, sound), "ce_id"),
    "a time that is none": (lambda sound: replaced("ce_time", b"noon", sound), "isoformat"),
    "headers that are no text": (lambda sound: replaced("ce_type", b"\xff", sound), "utf-8"),
    "no headers": (lambda sound: sound._replace(headers=[]), "ce_id"),
    "no JSON": (lambda sound: sound._replace(value=b"{"), "not JSON"),
    "no object": (lambda sound: sound._replace(value=b"[1]"), "validation error"),
    "a field missing": (lambda sound: sound._replace(value=b"{}"), "validation error"),
    "no body": (lambda sound: sound._replace(value=None), "no body"),
    "no key": (lambda sound: sound._replace(key=None, value=b""), "not JSON"),
}


class TestPoison:
    @pytest.mark.parametrize(("spoil", "reason"), POISON.values(), ids=POISON.keys())
    async def test_goes_to_the_dead_letters_as_it_came(
        self, sample, database, broker, event, group, spoil, reason
    ):
        before, bad, after = notes(event, ["before", "bad", "after"], uuid4())
        spoiled = spoil(outgoing(bad))
        await send(broker, outgoing(before), spoiled, outgoing(after))
        async with consuming(database, broker, group, {event: [note_effect]}):
            await until(lambda: all_committed(broker, group, event, 3))
        assert await effects(sample) == ["before", "after"]
        [letter] = await read(broker, f"{event.topic}.dlq.{group}", 1)
        assert (letter.key, letter.value) == (spoiled.key, spoiled.value)
        assert list(letter.headers)[: len(spoiled.headers)] == list(spoiled.headers)
        added = dict(list(letter.headers)[len(spoiled.headers) :])
        assert reason in added["dlq_reason"].decode()
        topic, _, offset = added["dlq_origin"].decode().split("/")
        assert topic == event.topic
        assert offset == "1" or spoiled.key is None  # which may be on a partition of its own
        assert counted(group, "dead") == 1

    async def test_may_be_nothing_at_all(self, sample, database, broker, event, group):
        await asyncio.to_thread(send_nothing, broker, event.topic)
        await send(broker, *map(outgoing, notes(event, ["after"])))
        async with consuming(database, broker, group, {event: [note_effect]}):
            await until(lambda: all_committed(broker, group, event, 2))
        assert await effects(sample) == ["after"]
        [letter] = await read(broker, f"{event.topic}.dlq.{group}", 1)
        assert not letter.key
        assert not letter.value

    async def test_a_handler_may_call_an_event_poison(self, sample, database, broker, event, group):
        tries = []

        async def refuse_odd(session, note, envelope):
            await note_effect(session, note, envelope)
            if note.title == "odd":
                tries.append(note)
                raise Poison("it is odd")

        await send(broker, *map(outgoing, notes(event, ["odd", "even"])))
        async with consuming(database, broker, group, {event: [refuse_odd]}):
            await until(lambda: all_committed(broker, group, event, 2))
        assert await effects(sample) == ["even"]
        assert len(tries) == 2  # in the chunk, and by itself
        [letter] = await read(broker, f"{event.topic}.dlq.{group}", 1)
        assert b"it is odd" in dict(letter.headers)["dlq_reason"]

    async def test_one_in_a_chunk_leaves_the_others_handled_once(
        self, sample, database, broker, event, group
    ):
        titles = [str(number) for number in range(40)]
        records = [outgoing(note) for note in notes(event, titles, uuid4())]
        records[17] = records[17]._replace(value=b"{")
        await send(broker, *records)
        async with consuming(database, broker, group, {event: [note_effect]}):
            await until(lambda: all_committed(broker, group, event, 40))
        assert await effects(sample) == [title for title in titles if title != "17"]
        assert (counted(group, "handled"), counted(group, "dead")) == (39, 1)

    async def test_waits_for_a_topic_of_dead_letters(
        self, sample, database, apache, group, monkeypatch, logged
    ):
        monkeypatch.setattr(producing, "REQUEST_TIMEOUT_SECONDS", 0.3)

        async def waits() -> bool:
            return "dead_letter_waits" in logged()

        event = await fresh_event(apache, NoteWritten)
        bad, good = map(outgoing, notes(event, ["bad", "good"], uuid4()))
        await send(apache, bad._replace(value=b"{"), good)
        async with consuming(database, apache, group, {event: [note_effect]}):
            await until(waits)
            assert await effects(sample) == []
            await make_topics(apache, dead_letter_topic(event.topic, group))
            await until(lambda: all_committed(apache, group, event, 2))
        assert await effects(sample) == ["good"]


def send_nothing(broker, topic: str) -> None:
    """A record with neither key nor body; aiokafka would refuse to send it."""
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap_servers})
    producer.produce(topic, value=None, key=None, partition=0)
    assert producer.flush(20) == 0


FAILURES = {
    "a refused connection": "raise ConnectionRefusedError",
    "an ended connection": "SELECT pg_terminate_backend(pg_backend_pid())",
    "a deadlock": "DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$",
    "a serialization failure": "DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$",
    "a full disk": "DO $$ BEGIN RAISE EXCEPTION SQLSTATE '53100'; END $$",
    "a standby that is not promoted yet": "DO $$ BEGIN RAISE EXCEPTION SQLSTATE '25006'; END $$",
    "a lock not to be had": "DO $$ BEGIN RAISE EXCEPTION SQLSTATE '55P03'; END $$",
}


class TestTransientFailure:
    @pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
    async def test_is_tried_again_in_place(self, sample, database, broker, event, group, failure):
        failures_left = 5

        async def fail_at_first(session, note, envelope):
            nonlocal failures_left
            if note.title == "1" and failures_left:
                failures_left -= 1
                if failure.startswith("raise"):
                    raise ConnectionRefusedError
                await session.execute(text(failure))
            await note_effect(session, note, envelope)

        await send(broker, *map(outgoing, notes(event, ["0", "1", "2"], uuid4())))
        async with consuming(database, broker, group, {event: [fail_at_first]}):
            await until(lambda: all_committed(broker, group, event, 3))
        assert failures_left == 0
        assert await effects(sample) == ["0", "1", "2"]
        assert counted(group, "dead") == 0

    async def test_holds_what_lies_behind_it(self, sample, database, broker, event, group):
        tries = 0

        async def never(session, note, envelope):
            nonlocal tries
            tries += 1
            raise OSError("nobody answers")

        async def tried_often() -> bool:
            return tries > 10

        await send(broker, *map(outgoing, notes(event, ["0", "1"], uuid4())))
        async with consuming(database, broker, group, {event: [never]}):
            await until(tried_often)
        assert await committed(broker, group, event.topic) == 0
        assert await sample.count("processed_event") == 0


class TestUnknownFailure:
    async def test_is_poison_after_three_tries(self, sample, database, broker, event, group):
        tries = 0

        async def stumble(session, note, envelope):
            nonlocal tries
            if note.title == "stone":
                tries += 1
                raise ZeroDivisionError("a bug of ours")
            await note_effect(session, note, envelope)

        await send(broker, *map(outgoing, notes(event, ["stone", "path"], uuid4())))
        async with consuming(database, broker, group, {event: [stumble]}):
            await until(lambda: all_committed(broker, group, event, 2))
        assert tries == 1 + bus.UNKNOWN_FAILURE_TRIES
        assert await effects(sample) == ["path"]
        [letter] = await read(broker, f"{event.topic}.dlq.{group}", 1)
        assert b"a bug of ours" in dict(letter.headers)["dlq_reason"]

    async def test_that_passes_is_no_poison(self, sample, database, broker, event, group):
        failures_left = 3  # one in the chunk, two by itself

        async def stumble(session, note, envelope):
            nonlocal failures_left
            if failures_left:
                failures_left -= 1
                raise KeyError("not there yet")
            await note_effect(session, note, envelope)

        await send(broker, *map(outgoing, notes(event, ["0"])))
        async with consuming(database, broker, group, {event: [stumble]}):
            await until(lambda: all_committed(broker, group, event, 1))
        assert await effects(sample) == ["0"]
        assert counted(group, "dead") == 0
