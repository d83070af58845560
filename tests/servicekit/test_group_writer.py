"""Group write: rows share statements, and nobody gets anything but the outcome of their own row."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit import group_writer
from servicekit.group_writer import MAX_IN_FLIGHT, MAX_ROWS, GroupWriter, QueueFull
from tests.servicekit.helpers import until


class Refused(Exception):
    """One row is bad."""


@dataclass
class Table:
    """Takes all rows of a statement or none, as a database does."""

    rows: list[Any] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    bad: set[Any] = field(default_factory=set)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    #: How many turns of the loop each statement takes; used up in a circle.
    turns: list[int] = field(default_factory=lambda: [0])
    under_way: int = 0
    most_under_way: int = 0

    async def write(self, rows):
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.sizes.append(len(rows))
        try:
            await self.gate.wait()
            await turns(self.turns[len(self.sizes) % len(self.turns)])
            refused = self.bad & set(rows)
            if refused:
                raise Refused(min(refused))
            self.rows += rows
            return [f"written {row}" for row in rows]
        finally:
            self.under_way -= 1


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
def table():
    table = Table()
    table.gate.set()
    return table


class TestAdding:
    async def test_every_row_gets_its_own_outcome(self, table):
        writer = GroupWriter(table.write)
        outcomes = await asyncio.gather(*(writer.add(number) for number in range(500)))
        assert outcomes == [f"written {number}" for number in range(500)]
        assert sorted(table.rows) == list(range(500))

    async def test_those_who_come_meanwhile_share_a_statement(self, table):
        table.gate.clear()
        writer = GroupWriter(table.write)
        callers = [asyncio.create_task(writer.add(number)) for number in range(200)]
        await turns(5)
        table.gate.set()
        await asyncio.gather(*callers)
        assert max(table.sizes) <= MAX_ROWS
        assert len(table.sizes) <= 2 + 200 // MAX_ROWS + 1
        assert table.most_under_way <= MAX_IN_FLIGHT

    async def test_one_bad_row_fails_alone(self, table):
        table.bad = {7, 40}
        writer = GroupWriter(table.write)
        outcomes = await asyncio.gather(
            *(writer.add(number) for number in range(60)), return_exceptions=True
        )
        for number, outcome in enumerate(outcomes):
            if number in table.bad:
                assert isinstance(outcome, Refused)
                assert outcome.args == (number,)
            else:
                assert outcome == f"written {number}"
        assert sorted(table.rows) == [n for n in range(60) if n not in table.bad]

    async def test_a_full_queue_refuses_and_writes_nothing(self, table, monkeypatch):
        monkeypatch.setattr(group_writer, "MAX_QUEUE", 5)
        table.gate.clear()
        writer = GroupWriter(table.write)
        first = []
        for number in range(MAX_IN_FLIGHT):  # one after the other: each takes a slot
            first.append(asyncio.create_task(writer.add(f"first {number}")))
            await turns(5)
        queued = [asyncio.create_task(writer.add(f"queued {n}")) for n in range(5)]
        await turns(5)
        with pytest.raises(QueueFull):
            await asyncio.wait_for(writer.add("one too many"), 5)
        table.gate.set()
        await asyncio.gather(*first, *queued)
        assert "one too many" not in table.rows
        assert len(table.rows) == MAX_IN_FLIGHT + 5
        assert await writer.add("later") == "written later"

    async def test_a_caller_that_hangs_up_does_not_take_its_row_along(self, table):
        table.gate.clear()
        writer = GroupWriter(table.write)
        callers = [asyncio.create_task(writer.add(number)) for number in range(10)]
        await turns(5)
        callers[3].cancel()
        callers[9].cancel()
        await asyncio.wait([callers[3], callers[9]])
        table.gate.set()
        await writer.close()
        assert sorted(table.rows) == list(range(10))
        assert callers[4].result() == "written 4"

    async def test_wrong_number_of_outcomes_fails_all_and_blocks_nobody(self):
        async def forgetful(rows):
            return ["only one"]

        writer: GroupWriter[int, str] = GroupWriter(forgetful)
        for _ in range(MAX_IN_FLIGHT + 1):
            answers = await asyncio.gather(writer.add(1), writer.add(2), return_exceptions=True)
            assert all(isinstance(answer, ValueError) for answer in answers)
        assert await writer.add(3) == "only one"


class TestClosing:
    async def test_waits_for_everything_taken_in(self, table):
        table.gate.clear()
        writer = GroupWriter(table.write)
        callers = [asyncio.create_task(writer.add(number)) for number in range(150)]
        await turns(5)
        closing = asyncio.create_task(writer.close())
        await turns(5)
        assert not closing.done()
        table.gate.set()
        await closing
        assert all(caller.done() for caller in callers)
        assert len(table.rows) == 150

    async def test_of_an_idle_one_is_immediate(self, table):
        await GroupWriter(table.write).close()


@dataclass(frozen=True)
class Caller:
    """Comes after some turns of the loop, may be bad, may hang up after some turns more."""

    comes_after: int
    is_bad: bool
    hangs_up_after: int | None


CALLERS = st.lists(
    st.builds(
        Caller,
        comes_after=st.integers(0, 12),
        is_bad=st.sampled_from([False] * 7 + [True]),
        hangs_up_after=st.none() | st.integers(0, 6),
    ),
    max_size=40,
)


async def play(callers: list[Caller], statement_turns: list[int]) -> None:
    table = Table(turns=statement_turns)
    table.gate.set()
    table.bad = {number for number, caller in enumerate(callers) if caller.is_bad}
    writer = GroupWriter(table.write)
    came: set[int] = set()

    async def call(number: int) -> str:
        await turns(callers[number].comes_after)
        came.add(number)
        return await writer.add(number)

    async def live(number: int) -> "asyncio.Task[str]":
        task = asyncio.create_task(call(number))
        patience = callers[number].hangs_up_after
        if patience is not None:
            await turns(callers[number].comes_after + patience)
            task.cancel()
        await asyncio.wait([task])
        return task

    async with asyncio.timeout(10):  # a lost wake-up would wait for ever
        ended = await asyncio.gather(*(live(number) for number in range(len(callers))))
        await writer.close()
    for number, task in enumerate(ended):
        if task.cancelled():
            continue
        if number in table.bad:
            assert isinstance(task.exception(), Refused)
        else:
            assert task.result() == f"written {number}"
    assert sorted(table.rows) == sorted(came - table.bad)
    assert table.most_under_way <= MAX_IN_FLIGHT
    assert (writer._in_flight, len(writer._queue)) == (0, 0)


@settings(deadline=None, max_examples=150)
@given(callers=CALLERS, statement_turns=st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_any_interleaving_writes_each_row_once_and_wakes_everyone(callers, statement_turns):
    asyncio.run(play(callers, statement_turns))


class TestOnPostgresql:
    async def test_rows_share_statements_and_refusals_stay_with_their_row(self, sample):
        pool = await sample.database.create_pool(size=MAX_IN_FLIGHT)
        statements = 0

        async def insert(titles):
            nonlocal statements
            statements += 1
            return await pool.fetch(
                "INSERT INTO note (id, title, version) "
                "SELECT gen_random_uuid(), title, 1 FROM unnest($1::text[]) AS t(title) "
                "RETURNING title",
                titles,
            )

        writer: GroupWriter[str, Any] = GroupWriter(insert)
        await writer.add("taken")
        titles = [str(number) for number in range(120)]
        answers: list[Any] = await asyncio.gather(
            *map(writer.add, [*titles[:60], "taken", *titles[60:]]), return_exceptions=True
        )
        await writer.close()
        await pool.close()
        refused = answers.pop(60)
        assert isinstance(refused, asyncpg.UniqueViolationError)
        assert [answer["title"] for answer in answers] == titles
        assert await sample.count("note") == 121
        assert statements < 121

    async def test_a_row_survives_the_caller_that_hung_up(self, sample):
        pool = await sample.database.create_pool(size=1)

        async def insert(titles):
            return await pool.fetch(
                "INSERT INTO effect (subject, what) SELECT '', w FROM unnest($1::text[]) AS t(w) "
                "RETURNING what",
                titles,
            )

        writer: GroupWriter[str, Any] = GroupWriter(insert)
        caller = asyncio.create_task(writer.add("一"))
        await turns(1)
        caller.cancel()

        async def is_there() -> bool:
            return await sample.count("effect") == 1

        await until(is_there)
        assert caller.cancelled()
        await writer.close()
        await pool.close()
