"""The consumer: each event takes effect once, in order; what cannot be handled is put aside."""

import asyncio
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client import REGISTRY
from sqlalchemy import insert, text

from servicekit import relay
from servicekit.bus import CHUNK_EVENTS, Consumer, Poison
from servicekit.outbox import record
from tests.servicekit.helpers import (
    committed,
    consuming,
    counted,
    effects,
    fresh_event,
    notes,
    outbox_is_empty,
    outgoing,
    relaying,
    send,
    until,
)
from tests.servicekit.sample.events import NoteWritten
from tests.servicekit.sample.models import Effect
from tests.servicekit.sample.worker import note_effect

pytestmark = pytest.mark.kafka


@pytest.fixture
def group():
    return f"sample.{uuid4().hex[:8]}"


@pytest.fixture
async def event(broker, group):
    """An event class on a topic of this test alone, with dead letters for its group."""
    return await fresh_event(broker, NoteWritten, group=group)


def lag(group: str, topic: str) -> float | None:
    return REGISTRY.get_sample_value("consumer_lag_events", {"consumer": group, "topic": topic})


async def all_committed(broker, group, event, count) -> bool:
    return await committed(broker, group, event.topic) == count


class TestHandling:
    async def test_an_event_delivered_twice_takes_effect_once(
        self, sample, database, broker, event, group
    ):
        [note] = notes(event, ["一"])
        event_id = uuid4()
        twice = [outgoing(note, event_id), outgoing(note, event_id)]
        await send(broker, *twice)
        async with consuming(database, broker, group, {event: [note_effect]}):
            await until(lambda: all_committed(broker, group, event, 2))
        assert await effects(sample) == ["一"]
        assert (counted(group, "handled"), counted(group, "duplicate")) == (1, 1)

    async def test_events_of_one_aggregate_are_handled_in_order(
        self, sample, database, broker, event, group
    ):
        titles = [str(number) for number in range(250)]
        await send(broker, *map(outgoing, notes(event, titles, uuid4())))
        async with consuming(database, broker, group, {event: [note_effect]}):
            await until(lambda: all_committed(broker, group, event, 250))
        assert await effects(sample) == titles

    async def test_every_handler_of_an_event_is_called_in_order(
        self, sample, database, broker, event, group
    ):
        async def shout(session, event, envelope):
            await session.execute(insert(Effect).values(subject="", what=event.title + "!"))

        await send(broker, *map(outgoing, notes(event, ["一"])))
        async with consuming(database, broker, group, {event: [note_effect, shout]}):
            await until(lambda: all_committed(broker, group, event, 1))
        assert await effects(sample) == ["一", "一!"]

    async def test_an_unknown_type_is_ignored_and_counted(
        self, sample, database, broker, event, group
    ):
        strange, known = notes(event, ["strange", "known"])
        headers = [
            (name, b"cn.yichuang.sample.note-burnt.v9" if name == "ce_type" else value)
            for name, value in outgoing(strange).headers
        ]
        await send(broker, outgoing(strange, headers=headers), outgoing(known))
        async with consuming(database, broker, group, {event: [note_effect]}):
            await until(lambda: all_committed(broker, group, event, 2))
        assert await effects(sample) == ["known"]
        assert (counted(group, "ignored"), counted(group, "dead")) == (1, 0)

    async def test_an_event_that_a_handler_records_wakes_the_relay(
        self, sample, database, broker, producer, event, group, sample_topics, monkeypatch
    ):
        monkeypatch.setattr(relay, "IDLE_SECONDS", 3600.0)

        async def answer(session, event, envelope):
            await record(session, NoteWritten(note_id=event.note_id, title="answer"))

        async with (
            relaying(database, producer),
            consuming(database, broker, group, {event: [answer]}),
        ):
            await send(broker, *map(outgoing, notes(event, ["question"])))
            await until(lambda: all_committed(broker, group, event, 1))
            await until(lambda: outbox_is_empty(sample))

    async def test_lag_is_what_lies_between_the_position_and_the_end(
        self, sample, database, broker, event, group
    ):
        gate = asyncio.Event()

        async def second_chunk_waits(session, event, envelope):
            if event.title == str(CHUNK_EVENTS):
                await gate.wait()

        titles = [str(number) for number in range(CHUNK_EVENTS + 30)]
        await send(broker, *map(outgoing, notes(event, titles, uuid4())))

        async def lag_is(events: int) -> bool:
            return lag(group, event.topic) == events

        async with consuming(database, broker, group, {event: [second_chunk_waits]}):
            await until(lambda: lag_is(30))
            gate.set()
            await until(lambda: lag_is(0))


class PollsAll(Consumer):
    """Waits until one poll has brought everything there is, whatever its partitions."""

    events = 0

    def _create(self):
        consumer = super()._create()
        poll = consumer.getmany

        async def whole(**options):
            brought: dict[TopicPartition, list[Any]] = {}
            while sum(len(records) for records in brought.values()) < self.events:
                for partition, records in (await poll(**options)).items():
                    brought.setdefault(partition, []).extend(records)
            self.events = 0
            return brought or await poll(**options)

        consumer.getmany = whole
        return consumer


class TestPartitions:
    COUNTS: ClassVar = {"甲": 3, "乙": 4, "丙": 2, "丁": 1}

    async def test_of_a_poll_share_a_transaction(self, sample, database, broker, event, group):
        async def note_transaction(session, event, envelope):
            transaction = await session.scalar(text("SELECT txid_current()::text"))
            await session.execute(insert(Effect).values(subject=event.title, what=transaction))

        await self._take(database, broker, group, event, note_transaction)
        rows = await sample.fetch("SELECT subject, what FROM effect ORDER BY position")
        assert len({row["what"] for row in rows}) == 1
        for name, count in self.COUNTS.items():
            mine = [row["subject"] for row in rows if row["subject"].startswith(name)]
            assert mine == [f"{name}{n}" for n in range(count)]

    async def test_go_on_without_the_one_that_has_poison(
        self, sample, database, broker, event, group
    ):
        async def refuse_one(session, event, envelope):
            await note_effect(session, event, envelope)
            if event.title == "乙1":
                raise Poison("it is the one")

        await self._take(database, broker, group, event, refuse_one)
        taken = await effects(sample)
        assert [title for title in taken if title[0] == "乙"] == ["乙0", "乙2", "乙3"]
        assert [title for title in taken if title[0] == "甲"] == ["甲0", "甲1", "甲2"]
        assert len(taken) == 9
        assert (counted(group, "handled"), counted(group, "dead")) == (9, 1)

    async def _take(self, database, broker, group, event, handler):
        for name, count in self.COUNTS.items():
            titles = [f"{name}{n}" for n in range(count)]
            await send(broker, *map(outgoing, notes(event, titles, uuid4())))
        total = sum(self.COUNTS.values())
        kind = type("PollsAllOfIt", (PollsAll,), {"events": total})
        async with consuming(database, broker, group, {event: [handler]}, kind):
            await until(lambda: all_committed(broker, group, event, total))


class StopsBeforeCommit(Consumer):
    """Its effect is in the database, but it never gets to commit the offset."""

    reached = asyncio.Event()

    def _create(self):
        consumer = super()._create()
        self.reached.clear()

        async def commit(_):
            self.reached.set()
            await asyncio.Event().wait()

        consumer.commit = commit
        return consumer


class TestCrash:
    async def test_between_effect_and_offset_has_no_second_effect(
        self, sample, database, broker, event, group
    ):
        await send(broker, *map(outgoing, notes(event, ["一", "二"], uuid4())))
        handlers = {event: [note_effect]}
        async with consuming(database, broker, group, handlers, StopsBeforeCommit):

            async def has_effect() -> bool:
                return await sample.count("effect") == 2

            await until(has_effect)
            await StopsBeforeCommit.reached.wait()
        assert await committed(broker, group, event.topic) == 0
        async with consuming(database, broker, group, handlers):
            await until(lambda: all_committed(broker, group, event, 2))
        assert await effects(sample) == ["一", "二"]
        assert counted(group, "duplicate") == 2

    async def test_a_handler_cut_short_leaves_nothing(self, sample, database, broker, event, group):
        entered = asyncio.Event()

        async def hang(session, event, envelope):
            await note_effect(session, event, envelope)
            entered.set()
            await asyncio.Event().wait()

        await send(broker, *map(outgoing, notes(event, ["一"])))
        async with consuming(database, broker, group, {event: [hang]}):
            await entered.wait()
        assert await sample.count("effect") == 0
        assert await sample.count("processed_event") == 0
        async with consuming(database, broker, group, {event: [note_effect]}):
            await until(lambda: all_committed(broker, group, event, 1))
        assert await effects(sample) == ["一"]


class TestStop:
    async def test_leaves_no_task_behind(self, sample, database, broker, event, group):
        before = asyncio.all_tasks()
        await send(broker, *map(outgoing, notes(event, ["一"])))
        async with consuming(database, broker, group, {event: [note_effect]}):
            await until(lambda: all_committed(broker, group, event, 1))

        async def only_what_was() -> bool:
            return asyncio.all_tasks() <= before

        await until(only_what_was)

    async def test_leaves_the_group(self, sample, database, apache, event, group):
        """A group that was not left keeps a newcomer waiting for the end of a session."""
        await send(apache, *map(outgoing, notes(event, ["一"])))
        async with consuming(database, apache, group, {event: [note_effect]}):
            await until(lambda: all_committed(apache, group, event, 1))
            assert await state_of(apache, group) == "Stable"
        assert await state_of(apache, group) == "Empty"


async def state_of(broker, group: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    try:
        [answer] = await admin.describe_consumer_groups([group])
    finally:
        await admin.close()
    return answer.groups[0][2]
