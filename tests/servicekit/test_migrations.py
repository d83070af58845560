"""Migrations: up from nothing, one down and up again, and tables that match the models."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from servicekit.migration_head import migration_head
from servicekit.migrations import migration_config, upgrade
from tests.servicekit.sample.definition import SERVICE
from tests.support.service import PASSWORD

SECOND = "9a3f1c5e7b21"
FIRST = "6bbe6f3d10a9"
HEAD = migration_head(SERVICE.migrations)


class Empty:
    """A database with nothing in it."""

    def __init__(self, server) -> None:
        name = f"migrated_{uuid4().hex[:8]}"
        server.create_database("sample", name, PASSWORD)
        self.dsn = server.dsn(name, "sample", PASSWORD)
        self.url = self.dsn.replace("postgresql://", "postgresql+asyncpg://")

    def fetch(self, query: str) -> list[asyncpg.Record]:
        async def ask() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.dsn)
            try:
                return await connection.fetch(query)
            finally:
                await connection.close()

        return asyncio.run(ask())

    def tables(self) -> set[str]:
        rows = self.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row["tablename"] for row in rows}

    def head(self) -> str:
        [row] = self.fetch("SELECT version_num FROM alembic_version")
        return row["version_num"]


@pytest.fixture
def empty(postgres):
    return Empty(postgres)


def test_the_noted_head_is_the_newest_revision():
    scripts = ScriptDirectory.from_config(migration_config(SERVICE.migrations))
    assert scripts.get_current_head() == HEAD


class TestUpgrade:
    def test_of_an_empty_database_reaches_the_head(self, empty):
        upgrade(SERVICE.migrations, empty.url)
        assert empty.head() == HEAD
        assert {"outbox_message", "processed_event", "timer", "note", "effect"} <= empty.tables()

    def test_twice_changes_nothing(self, empty):
        upgrade(SERVICE.migrations, empty.url)
        upgrade(SERVICE.migrations, empty.url)
        assert empty.head() == HEAD

    def test_goes_as_far_as_it_is_told(self, empty):
        upgrade(SERVICE.migrations, empty.url, FIRST)
        assert empty.head() == FIRST
        assert "effect" not in empty.tables()

    def test_leaves_no_difference_to_the_models(self, empty):
        upgrade(SERVICE.migrations, empty.url)
        command.check(migration_config(SERVICE.migrations, empty.url))

    def test_does_not_see_partitions_made_at_run_time(self, empty):
        upgrade(SERVICE.migrations, empty.url)
        empty.fetch("CREATE TABLE history_p2026_11 (id int)")
        command.check(migration_config(SERVICE.migrations, empty.url))

    def test_sees_a_table_that_no_model_knows(self, empty):
        upgrade(SERVICE.migrations, empty.url)
        empty.fetch("CREATE TABLE stray (id int)")
        with pytest.raises(Exception, match="stray"):
            command.check(migration_config(SERVICE.migrations, empty.url))


class TestDowngrade:
    def test_one_step_and_up_again(self, empty):
        upgrade(SERVICE.migrations, empty.url)
        whole = empty.tables()
        command.downgrade(migration_config(SERVICE.migrations, empty.url), "-1")
        assert whole - empty.tables() == {"import_job", "import_chunk", "import_problem"}
        assert empty.head() == SECOND
        upgrade(SERVICE.migrations, empty.url)
        assert empty.tables() == whole

    def test_to_nothing_leaves_no_table(self, empty):
        upgrade(SERVICE.migrations, empty.url)
        command.downgrade(migration_config(SERVICE.migrations, empty.url), "base")
        assert empty.tables() == {"alembic_version"}
