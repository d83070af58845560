"""Two consumers of one group: partitions change hands while events flow."""

import asyncio
from collections import Counter, defaultdict
from uuid import uuid4

import pytest

from servicekit.database import Database
from tests.servicekit.helpers import (
    committed,
    consuming,
    fresh_event,
    outgoing,
    until,
)
from tests.servicekit.sample.events import NoteWritten
from tests.servicekit.sample.worker import note_effect

pytestmark = [pytest.mark.kafka, pytest.mark.rebalance, pytest.mark.slow]

AGGREGATES = 12


class Flow:
    """Events of a few aggregates, numbered, a handful at a time until it is over."""

    def __init__(self, producer, event):
        self._producer = producer
        self._event = event
        self._aggregates = [uuid4() for _ in range(AGGREGATES)]
        self.each = 0
        self.is_over = False

    async def run(self) -> None:
        while not self.is_over:
            notes = [self._event(note_id=one, title=str(self.each)) for one in self._aggregates]
            await self._producer.send([outgoing(note) for note in notes])
            self.each += 1
            await asyncio.sleep(0.01)


async def test_nothing_is_lost_doubled_or_out_of_order(sample, apache, producer):
    group = f"sample.{uuid4().hex[:8]}"
    event = await fresh_event(apache, NoteWritten, group=group, partitions=6)
    flow = Flow(producer, event)
    taken: Counter[str] = Counter()

    def counting(who: str):
        async def handle(session, note, envelope):
            await note_effect(session, note, envelope)
            taken[who] += 1

        return {event: [handle]}

    async def has_taken(who: str, more: int) -> bool:
        return taken[who] > more

    async def all_is_committed() -> bool:
        return await committed(apache, group, event.topic) == flow.each * AGGREGATES

    one, two = (Database(sample.settings, application_name=f"test.{n}") for n in (1, 2))
    try:
        async with consuming(two, apache, group, counting("two")):
            flowing = asyncio.create_task(flow.run())
            async with consuming(one, apache, group, counting("one")):
                await until(lambda: has_taken("one", 30))
                await until(lambda: has_taken("two", 30))
            seen = taken["two"]
            await until(lambda: has_taken("two", seen + 300))
            flow.is_over = True
            await flowing
            await until(all_is_committed)
    finally:
        await one.close()
        await two.close()

    found = defaultdict(list)
    for row in await sample.fetch("SELECT subject, what FROM effect ORDER BY position"):
        found[row["subject"]].append(int(row["what"]))
    assert len(found) == AGGREGATES
    assert all(numbers == list(range(flow.each)) for numbers in found.values())
