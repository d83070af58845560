"""Timers: what is due happens once, by the database's clock; a failure stops nothing else."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, text

from servicekit import timers
from servicekit.database import Database
from servicekit.outbox import record
from servicekit.timers import Timers, cancel_timers, set_timer
from tests.servicekit.helpers import IN, effects, running_task, until
from tests.servicekit.sample.events import NoteWritten
from tests.servicekit.sample.models import Effect


async def fire(session, subject_id: UUID) -> None:
    await session.execute(insert(Effect).values(subject=str(subject_id), what="fired"))


async def set_due(database, kind: str, *subjects: UUID, seconds: float = -1.0) -> None:
    async with database.transaction() as session:
        due_at = (await session.execute(IN, {"seconds": seconds})).scalar_one()
        for subject_id in subjects:
            await set_timer(session, kind, subject_id, due_at)


@pytest.fixture
async def another(sample):
    database = Database(sample.settings, application_name="test.another")
    yield database
    await database.close()


class TestFiring:
    async def test_a_due_timer_fires_and_is_gone(self, sample, database):
        await set_due(database, "fire", uuid4())
        assert await Timers(database, {"fire": fire}).run_due() == 1
        assert await effects(sample) == ["fired"]
        assert await sample.count("timer") == 0

    async def test_one_that_is_not_due_waits(self, sample, database):
        await set_due(database, "fire", uuid4(), seconds=3600)
        assert await Timers(database, {"fire": fire}).run_due() == 0
        assert await sample.count("timer") == 1

    async def test_the_oldest_comes_first(self, sample, database):
        async def name(session, subject_id):
            await session.execute(insert(Effect).values(subject="", what=str(subject_id)))

        first, second, third = (uuid4() for _ in range(3))
        await set_due(database, "name", third, seconds=-1)
        await set_due(database, "name", first, seconds=-3)
        await set_due(database, "name", second, seconds=-2)
        await Timers(database, {"name": name}).run_due()
        assert await effects(sample) == [str(first), str(second), str(third)]

    async def test_effect_and_event_are_one_transaction(self, sample, database):
        async def tell_and_fail(session, subject_id):
            await fire(session, subject_id)
            await record(session, NoteWritten(note_id=subject_id, title="一"))
            raise ZeroDivisionError

        await set_due(database, "tell", uuid4())
        await Timers(database, {"tell": tell_and_fail}).run_due()
        assert await effects(sample) == []
        assert await sample.events() == []

    async def test_a_handler_may_set_its_own_timer_again(self, sample, database):
        async def again(session, subject_id):
            await fire(session, subject_id)
            await set_timer(session, "again", subject_id, datetime(2200, 1, 1, tzinfo=UTC))

        await set_due(database, "again", uuid4())
        assert await Timers(database, {"again": again}).run_due() == 1
        assert await sample.count("timer") == 1

    async def test_two_workers_fire_each_once(self, sample, database, another):
        subjects = [uuid4() for _ in range(40)]
        await set_due(database, "fire", *subjects)

        async def all_fired() -> bool:
            return await sample.count("timer") == 0

        async with (
            running_task(Timers(database, {"fire": fire}).run()),
            running_task(Timers(another, {"fire": fire}).run()),
        ):
            await until(all_fired)
        rows = await sample.fetch("SELECT subject FROM effect")
        assert sorted(row["subject"] for row in rows) == sorted(map(str, subjects))


class TestFailure:
    async def test_puts_back_with_growing_pauses_and_stops_no_other(self, sample, database):
        async def fail(session, subject_id):
            await fire(session, subject_id)
            raise ZeroDivisionError

        both = Timers(database, {"fail": fail, "fire": fire})
        await set_due(database, "fail", uuid4(), seconds=-2)
        await set_due(database, "fire", uuid4(), seconds=-1)
        assert await both.run_due() == 2
        assert await effects(sample) == ["fired"]
        assert await pause(sample) == (1, pytest.approx(30, abs=20))
        await sample.fetch("UPDATE timer SET due_at = now()")
        await both.run_due()
        assert await pause(sample) == (2, pytest.approx(60, abs=20))

    async def test_of_the_statement_is_undone_alone(self, sample, database):
        async def fail_in_sql(session, subject_id):
            await session.execute(text("SELECT 1 / 0"))

        await set_due(database, "fail", uuid4())
        assert await Timers(database, {"fail": fail_in_sql}).run_due() == 1
        assert (await pause(sample))[0] == 1

    async def test_a_kind_nobody_handles_is_put_back(self, sample, database, logged):
        await set_due(database, "forgotten", uuid4())
        await Timers(database, {"fire": fire}).run_due()
        assert (await pause(sample))[0] == 1
        assert "no handler for timers of kind forgotten" in logged()

    async def test_a_lost_database_is_waited_for(self, sample, database, monkeypatch):
        monkeypatch.setattr(timers, "IDLE_SECONDS", 0.01)
        ends_left = 3

        async def lose_connection(session, subject_id):
            nonlocal ends_left
            if ends_left:
                ends_left -= 1
                await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
            await fire(session, subject_id)

        async def has_fired() -> bool:
            return await effects(sample) == ["fired"]

        await set_due(database, "lose", uuid4())
        async with running_task(Timers(database, {"lose": lose_connection}).run()):
            await until(has_fired)


async def pause(sample) -> Any:
    """Attempts of the only timer and the seconds until it is due again."""
    [row] = await sample.fetch(
        "SELECT attempts, extract(epoch FROM due_at - now())::float AS seconds FROM timer"
    )
    return row["attempts"], row["seconds"]


class TestSetting:
    async def test_again_moves_it_and_forgets_failures(self, sample, database):
        subject_id = uuid4()
        await set_due(database, "fire", subject_id)
        await sample.fetch("UPDATE timer SET attempts = 7")
        await set_due(database, "fire", subject_id, seconds=3600)
        assert await pause(sample) == (0, pytest.approx(3600, abs=60))

    async def test_cancelling_removes_the_kinds_named(self, sample, database):
        one, other = uuid4(), uuid4()
        for kind in ("near", "passed", "silence"):
            await set_due(database, kind, one, other)
        async with database.transaction() as session:
            await cancel_timers(session, one, "near", "passed")
        rows = await sample.fetch("SELECT kind FROM timer WHERE subject_id = $1", one)
        assert [row["kind"] for row in rows] == ["silence"]
        assert await sample.count("timer") == 4

    async def test_a_request_that_cancels_a_timer_being_fired_goes_first(
        self, sample, database, another
    ):
        """Both want the subject and its timer, in opposite order."""
        subject_id = uuid4()
        await sample.fetch("INSERT INTO note (id, title, version) VALUES ($1, '一', 1)", subject_id)
        locks = text("SELECT 1 FROM note WHERE id = :id FOR UPDATE")
        fires = asyncio.Event()

        async def lock_and_fire(session, subject_id):
            fires.set()
            await session.execute(locks, {"id": subject_id})
            await fire(session, subject_id)

        await set_due(database, "fire", subject_id)
        firing = Timers(another, {"fire": lock_and_fire})
        async with database.transaction() as session:
            await session.execute(locks, {"id": subject_id})
            run = asyncio.create_task(firing.run_due())
            await fires.wait()
            await cancel_timers(session, subject_id, "fire")
        await run
        assert await effects(sample) == []
        assert await sample.count("timer") == 0


class TestClock:
    async def test_a_workers_own_clock_changes_nothing(self, sample, database, monkeypatch):
        await set_due(database, "fire", uuid4(), seconds=600)
        await set_due(database, "fire", uuid4(), seconds=-600)
        ahead = time.time() + 365 * 24 * 3600
        monkeypatch.setattr(time, "time", lambda: ahead)
        assert await Timers(database, {"fire": fire}).run_due() == 1

    async def test_moments_are_compared_and_not_texts(self, sample, database):
        async with database.transaction() as session:
            now = (await session.execute(IN, {"seconds": -1})).scalar_one()
            eastern = now.astimezone(ZoneInfo("Asia/Shanghai"))
            await set_timer(session, "fire", uuid4(), eastern)
            await set_timer(session, "fire", uuid4(), eastern + timedelta(hours=1))
        assert await Timers(database, {"fire": fire}).run_due() == 1
