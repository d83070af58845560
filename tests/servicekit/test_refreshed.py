"""A copy in memory: newer when the database is, the old one while the database is away."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text

from servicekit.refreshed import Refreshed
from tests.servicekit.helpers import running_task, terminate, until


class Titles:
    """The titles of all notes, and how often they were loaded."""

    def __init__(self, database) -> None:
        self.database = database
        self.loads = 0

    async def load(self) -> list[str]:
        self.loads += 1
        async with self.database.reading() as session:
            return list(await session.scalars(text("SELECT title FROM note ORDER BY title")))

    async def fingerprint(self) -> int:
        async with self.database.reading() as session:
            return (await session.execute(text("SELECT count(*) FROM note"))).scalar_one()

    def held(self, check_seconds: float = 0.01) -> Refreshed[list[str]]:
        return Refreshed(
            "titles",
            load=self.load,
            fingerprint=self.fingerprint,
            check_seconds=check_seconds,
        )


async def add(sample, title: str) -> None:
    await sample.fetch(
        "INSERT INTO note (id, title, version) VALUES (gen_random_uuid(), $1, 1)", title
    )


@pytest.fixture
def titles(database):
    return Titles(database)


class TestRefresh:
    async def test_loads_at_first_and_then_only_what_changed(self, sample, titles):
        held = titles.held()
        await add(sample, "一")
        for _ in range(3):
            assert await held.refresh() == ["一"]
        assert titles.loads == 1
        await add(sample, "二")
        assert sorted(await held.refresh()) == sorted(["一", "二"])
        assert titles.loads == 2

    async def test_callers_at_once_share_a_load(self, titles, sample):
        held = titles.held()
        await asyncio.gather(*(held.refresh() for _ in range(5)))
        assert titles.loads == 1

    async def test_has_no_value_before_it_was_loaded(self, titles):
        with pytest.raises(AssertionError, match="titles is not loaded"):
            _ = titles.held().value


class TestRun:
    async def test_takes_up_changes(self, sample, titles):
        held = titles.held()
        await held.refresh()
        assert held.value == []

        async def is_there() -> bool:
            return held.value == ["一"]

        async with running_task(held.run()):
            await add(sample, "一")
            await until(is_there)

    async def test_keeps_the_old_value_while_the_database_is_away(self, sample, titles, logged):
        await add(sample, "一")
        held = titles.held()
        await held.refresh()

        async def has_failed() -> bool:
            return "refresh_failed" in logged()

        async def is_there() -> bool:
            return len(held.value) == 2

        name = sample.at.dsn.rpartition("/")[2]
        await admin(sample, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            async with running_task(held.run()):
                await terminate(sample.at.admin_dsn.rpartition("/")[0] + "/postgres", "test.worker")
                await until(has_failed)
                assert held.value == ["一"]
                await admin(sample, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
                await add(sample, "二")
                await until(is_there)
        finally:
            await admin(sample, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


async def admin(sample, statement: str) -> None:
    connection = await asyncpg.connect(sample.at.admin_dsn.rpartition("/")[0] + "/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
