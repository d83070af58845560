"""Partitions by the month in a UUIDv7: made ahead, used, dropped whole."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from servicekit.database import Database
from servicekit.identifiers import new_id
from servicekit.partitions import (
    MONTHS_AHEAD,
    Partitioned,
    add_months,
    drop_expired,
    first_id,
    keep_once,
    list_months,
    make_ahead,
)
from servicekit.settings import ServiceSettings
from tests.support.service import settings_for

LOG = Partitioned("event_log", keep_months=2)


@pytest.fixture
async def database(postgres):
    postgres.create_database("partitions", "partitions", "test")
    dsn = postgres.dsn("partitions", "partitions", "test")
    database = Database(settings_for(ServiceSettings, dsn), application_name="test")
    async with database.transaction() as session:
        await session.execute(text("DROP TABLE IF EXISTS event_log"))
        await session.execute(
            text("CREATE TABLE event_log (id uuid PRIMARY KEY) PARTITION BY RANGE (id)")
        )
        await session.execute(text(LOG.create_rest()))
    yield database
    await database.close()


class TestPartitions:
    async def test_made_ahead_once_and_dropped_when_over(self, database):
        today = datetime.now(UTC).date()
        this = today.replace(day=1)
        async with database.transaction() as session:
            assert await make_ahead(session, [LOG], today) == MONTHS_AHEAD + 1
            assert await make_ahead(session, [LOG], today) == 0
            await session.execute(text("INSERT INTO event_log VALUES (:id)"), {"id": new_id()})
            held = await session.execute(text(f"SELECT count(*) FROM {LOG.name(this)}"))
            assert held.scalar_one() == 1
            assert await drop_expired(session, [LOG], add_months(this, 2)) == 0
            assert await drop_expired(session, [LOG], add_months(this, 3)) == 1
            assert await list_months(session, LOG) == [
                add_months(this, ahead) for ahead in range(1, MONTHS_AHEAD + 1)
            ]
            assert await drop_expired(session, [Partitioned("event_log")], date(2099, 1, 1)) == 0

    async def test_two_workers_do_it_once(self, database):
        today = datetime.now(UTC).date()
        async with database.transaction() as other:
            await other.execute(text("SELECT pg_advisory_xact_lock(7305)"))
            await keep_once(database, [LOG], today)
            assert await list_months(other, LOG) == []
        await keep_once(database, [LOG], today)
        async with database.reading() as session:
            assert len(await list_months(session, LOG)) == MONTHS_AHEAD + 1


@given(st.dates(date(2020, 1, 1), date(2100, 1, 1)), st.integers(0, 40))
def test_months_follow_each_other(day, count):
    month = day.replace(day=1)
    later = add_months(month, count)
    assert (later.year - month.year) * 12 + later.month - month.month == count
    assert add_months(later, -count) == month
    assert first_id(month) < first_id(add_months(month, 1))
