"""The relay when something breaks: nothing is lost, and a repetition has no second effect."""

import asyncio
from uuid import uuid4

import pytest
from aiokafka.errors import MessageSizeTooLargeError
from prometheus_client import REGISTRY

from contracts.envelope import Envelope
from contracts.topics import Topic
from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit import producer as producing
from servicekit import relay
from servicekit.database import Database
from servicekit.producer import Outgoing, Producer
from tests.servicekit.helpers import (
    consuming,
    fresh_event,
    make_topics,
    notes,
    outbox_is_empty,
    outgoing,
    read,
    relaying,
    terminate,
    until,
    write_events,
)
from tests.servicekit.sample.definition import SERVICE
from tests.servicekit.sample.events import NoteWritten
from tests.servicekit.sample.worker import note_effect
from tests.support.service import Databases, settings_for

pytestmark = pytest.mark.kafka


class CutOff(Producer):
    """Sends, and then the relay's connection is gone before it can commit."""

    def __init__(self, bootstrap_servers: str, admin_dsn: str) -> None:
        super().__init__(bootstrap_servers)
        self.admin_dsn = admin_dsn
        self.cuts_left = 1
        self.batches = 0

    async def send(self, records):
        await super().send(records)
        self.batches += 1
        if self.cuts_left:
            self.cuts_left -= 1
            assert await terminate(self.admin_dsn, "test.worker.single") == 1


class TestCrashBetweenSendAndCommit:
    async def test_everything_is_sent_again_and_takes_effect_once(self, sample, database, broker):
        group = f"sample.{uuid4().hex[:8]}"
        event = await fresh_event(broker, NoteWritten, group=group)
        producer = CutOff(broker.bootstrap_servers, sample.at.admin_dsn)
        await write_events(database, *notes(event, [str(number) for number in range(10)]))
        async with relaying(database, producer):
            await until(lambda: outbox_is_empty(sample))
        assert producer.batches == 2
        records = await read(broker, event.topic, 20)
        assert len({Envelope.from_headers(r.headers).id for r in records}) == 10

        async with consuming(database, broker, group, {event: [note_effect]}):
            await until(lambda: everything_is_known(sample, 10))
            await write_events(database, *notes(event, ["last"]))
            async with relaying(database, Producer(broker.bootstrap_servers)):
                await until(lambda: everything_is_known(sample, 11))
        assert await sample.count("effect") == 11


async def everything_is_known(sample, count: int) -> bool:
    return await sample.count("processed_event") == count


class TestLostDatabase:
    async def test_relay_goes_on_after_its_connection_was_ended(
        self, sample, database, producer, broker, monkeypatch
    ):
        monkeypatch.setattr(relay, "IDLE_SECONDS", 0.05)
        event = await fresh_event(broker, NoteWritten)
        async with relaying(database, producer):
            await write_events(database, *notes(event, ["0"]))
            await until(lambda: outbox_is_empty(sample))
            assert await terminate(sample.at.admin_dsn, "test.worker.single") == 1
            await write_events(database, *notes(event, ["1"]))
            await until(lambda: outbox_is_empty(sample))
        assert len(await read(broker, event.topic, 2)) == 2

    async def test_relay_goes_on_after_postgresql_was_killed(
        self, tmp_path, broker, producer, monkeypatch
    ):
        monkeypatch.setattr(relay, "IDLE_SECONDS", 0.05)
        event = await fresh_event(broker, NoteWritten)
        server = PostgresServer(tmp_path / "postgres", pick_free_port(), fast=True)
        await asyncio.to_thread(server.start)
        try:
            at = await Databases(server).clone(SERVICE)
            database = Database(settings_for(SERVICE.settings, at.dsn), application_name="killed")
            async with relaying(database, producer):
                await write_events(database, *notes(event, ["0"]))
                await read(broker, event.topic, 1)
                await asyncio.to_thread(server.kill)
                database.nudge_relay()
                await asyncio.to_thread(server.start)
                await write_events(database, *notes(event, ["1"]))
                titles = {r.value for r in await read(broker, event.topic, 2)}
            assert len(titles) == 2
            await database.close()
        finally:
            await asyncio.to_thread(server.remove)


def failed_batches() -> float:
    return REGISTRY.get_sample_value("outbox_send_failures_total") or 0.0


class TestLostBroker:
    async def test_rows_stay_while_the_broker_is_frozen(
        self, sample, database, producer, breakable, monkeypatch
    ):
        monkeypatch.setattr(relay, "IDLE_SECONDS", 0.05)
        monkeypatch.setattr(producing, "SEND_TIMEOUT_SECONDS", 0.3)
        event = await fresh_event(breakable, NoteWritten)
        async with relaying(database, producer):
            await write_events(database, *notes(event, ["0"]))
            await until(lambda: outbox_is_empty(sample))
            before = failed_batches()
            await asyncio.to_thread(breakable.suspend)
            await write_events(database, *notes(event, ["1", "2"]))

            async def has_tried_twice() -> bool:
                return failed_batches() >= before + 2

            await until(has_tried_twice)
            assert await sample.count("outbox_message") == 2
            monkeypatch.setattr(producing, "SEND_TIMEOUT_SECONDS", 20.0)
            await asyncio.to_thread(breakable.resume)
            await until(lambda: outbox_is_empty(sample))
        sent = {
            NoteWritten.model_validate_json(r.value).title
            for r in await read(breakable, event.topic, 3)
        }
        assert sent == {"0", "1", "2"}

    @pytest.mark.slow
    async def test_goes_on_after_an_orderly_stop_and_sends_nothing_late(
        self, sample, database, producer, apache, breakable, monkeypatch
    ):
        """A broker that leaves in order says first that partitions have no leader any more.

        In a compacted topic a late repetition would put an old state over a newer one.
        """
        monkeypatch.setattr(relay, "IDLE_SECONDS", 0.05)
        monkeypatch.setattr(producing, "REQUEST_TIMEOUT_SECONDS", 1.0)
        monkeypatch.setattr(producing, "SEND_TIMEOUT_SECONDS", 3.0)
        event, states = [await fresh_event(apache, NoteWritten) for _ in range(2)]
        first, early, late = (outgoing(one) for one in notes(states, ["0", "1", "2"], uuid4()))
        another = Producer(apache.bootstrap_servers)
        await another.send([first])
        written = 0
        async with relaying(database, producer):
            before = failed_batches()
            stopping = asyncio.create_task(asyncio.to_thread(apache.stop))
            while not stopping.done() or failed_batches() < before + 2:
                await write_events(database, *notes(event, [str(written)]))
                written += 1
                await asyncio.sleep(0.02)
            with pytest.raises(TimeoutError):
                await another.send([early])
            await asyncio.to_thread(apache.start)
            await until(lambda: outbox_is_empty(sample))
            await producer.send([late])
        await another.stop()
        sent = await read(apache, event.topic, written)
        titles = {NoteWritten.model_validate_json(record.value).title for record in sent}
        assert titles == {str(number) for number in range(written)}
        values = [record.value for record in await read(apache, states.topic, 2)]
        assert values == [first.value, late.value]

    async def test_relay_waits_for_a_broker_that_was_never_there(
        self, sample, database, broker, monkeypatch
    ):
        monkeypatch.setattr(relay, "IDLE_SECONDS", 0.05)
        event = await fresh_event(broker, NoteWritten)
        producer = Producer(f"127.0.0.1:{pick_free_port()}")
        before = failed_batches()

        async def has_tried_twice() -> bool:
            return failed_batches() >= before + 2

        await write_events(database, *notes(event, ["0"]))
        async with relaying(database, producer):
            await until(has_tried_twice)
            assert await sample.count("outbox_message") == 1
            producer._bootstrap_servers = broker.bootstrap_servers
            await until(lambda: outbox_is_empty(sample))


class Narrow(Topic):
    """A topic that refuses what is longer than 2 000 bytes."""

    def config(self):
        return {"max.message.bytes": "2000"}


class TestProducer:
    async def test_goes_on_after_the_broker_refused_a_record(self, apache, producer):
        topic = f"test.{uuid4().hex[:12]}.v1"
        await make_topics(apache, Narrow(topic, 1, False, "narrow"))
        short, long = (Outgoing(topic, b"key", b"x" * size, []) for size in (10, 5_000))
        await producer.send([short])
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send([long])
        await producer.send([short])
        assert len(await read(apache, topic, 2)) == 2

    async def test_stops_at_once_while_the_broker_is_away(self, breakable, producer):
        event = await fresh_event(breakable, NoteWritten)
        [note] = notes(event, ["0"])
        await producer.send([outgoing(note)])
        await asyncio.to_thread(breakable.suspend)
        sending = asyncio.create_task(producer.send([outgoing(note)]))
        async with asyncio.timeout(10):
            await until(lambda: is_sending(producer))
            sending.cancel()
            await asyncio.wait([sending])
            await producer.stop()
        assert sending.cancelled()


async def is_sending(producer: Producer) -> bool:
    """Whether it holds a record that Kafka has not acknowledged, on its way or still waiting."""
    assert producer._current is not None
    held = producer._current._message_accumulator
    return bool(held._pending_batches) or any(held._batches.values())
