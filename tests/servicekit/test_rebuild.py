"""Rebuilding a copy from its compacted topic alone."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from servicekit.rebuild import Projection, rebuild
from tests.servicekit.helpers import consuming, fresh_event, outgoing, send, until
from tests.servicekit.sample.events import NoteRecorded
from tests.servicekit.sample.worker import keep_copy

pytestmark = pytest.mark.kafka


@pytest.fixture
def group():
    return f"sample.{uuid4().hex[:8]}"


@pytest.fixture
async def event(broker, group):
    return await fresh_event(broker, NoteRecorded, group=group)


def copies_of(event) -> Projection:
    return Projection(event.topic, ["note_copy"], {event: [keep_copy]})


async def copies(sample) -> dict[str, tuple[str, int]]:
    rows = await sample.fetch("SELECT note_id, title, revision FROM note_copy")
    return {str(row["note_id"]): (row["title"], row["revision"]) for row in rows}


async def send_states(broker, event, count: int = 12) -> dict[str, tuple[str, int]]:
    """Two states of each note; what a copy of them holds."""
    ids = [uuid4() for _ in range(count)]
    for revision in (1, 2):
        states = [event(note_id=one, title=f"r{revision}", revision=revision) for one in ids]
        await send(broker, *map(outgoing, states))
    return {str(one): ("r2", 2) for one in ids}


class TestRebuild:
    async def test_an_empty_copy_becomes_what_the_topic_says(self, sample, database, broker, event):
        expected = await send_states(broker, event)
        told = await rebuild(copies_of(event), database, broker.bootstrap_servers)
        assert await copies(sample) == expected
        assert told == f"{event.topic}: 24 events applied, differed: note_copy"

    async def test_what_the_consumer_keeps_is_the_same(
        self, sample, database, broker, event, group
    ):
        expected = await send_states(broker, event)

        async def is_complete() -> bool:
            return await copies(sample) == expected

        async with consuming(database, broker, group, {event: [keep_copy]}):
            await until(is_complete)
        told = await rebuild(copies_of(event), database, broker.bootstrap_servers)
        assert told.endswith("identical to what was there")
        assert await copies(sample) == expected

    async def test_a_damaged_copy_is_repaired_and_reported(self, sample, database, broker, event):
        expected = await send_states(broker, event)
        await rebuild(copies_of(event), database, broker.bootstrap_servers)
        await sample.fetch("UPDATE note_copy SET title = 'damaged' WHERE note_id::text < '8'")
        await sample.fetch("INSERT INTO note_copy VALUES (gen_random_uuid(), 'invented', 1)")
        told = await rebuild(copies_of(event), database, broker.bootstrap_servers)
        assert told.endswith("differed: note_copy")
        assert await copies(sample) == expected

    async def test_types_the_copy_does_not_need_are_left_out(self, sample, database, broker, event):
        expected = await send_states(broker, event, count=1)
        other = outgoing(event(note_id=uuid4(), title="other", revision=1))
        headers = [
            (name, b"cn.yichuang.sample.note-burnt.v1" if name == "ce_type" else value)
            for name, value in other.headers
        ]
        await send(broker, other._replace(headers=headers))
        told = await rebuild(copies_of(event), database, broker.bootstrap_servers)
        assert ": 2 events applied" in told
        assert await copies(sample) == expected

    async def test_what_nobody_can_read_is_left_out_and_counted(
        self, sample, database, broker, event
    ):
        expected = await send_states(broker, event, count=1)
        sound = outgoing(event(note_id=uuid4(), title="other", revision=1))
        spoiled: list[Any] = [{"value": None}, {"value": b"{"}, {"value": b"{}"}, {"headers": []}]
        await send(broker, *(sound._replace(**change) for change in spoiled))
        told = await rebuild(copies_of(event), database, broker.bootstrap_servers)
        assert told.endswith("; 4 events cannot be read and were left out")
        assert await copies(sample) == expected

    async def test_of_an_empty_topic_empties_the_copy(self, sample, database, broker, event):
        await sample.fetch("INSERT INTO note_copy VALUES (gen_random_uuid(), 'invented', 1)")
        told = await rebuild(copies_of(event), database, broker.bootstrap_servers)
        assert told == f"{event.topic}: 0 events applied, differed: note_copy"
        assert await copies(sample) == {}

    async def test_one_that_fails_changes_nothing(self, sample, database, broker, event):
        async def fail(session, state, envelope):
            await session.execute(text("SELECT 1 / 0"))

        before = await send_states(broker, event, count=2)
        await rebuild(copies_of(event), database, broker.bootstrap_servers)
        broken = Projection(event.topic, ["note_copy"], {event: [keep_copy, fail]})
        with pytest.raises(Exception, match="division by zero"):
            await rebuild(broken, database, broker.bootstrap_servers)
        assert await copies(sample) == before
