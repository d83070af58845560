"""A database of the evaluation service with so many ratings, and with scores that count them.

A city of 13 counties with 10 townships of 20 villages, 15 units a county, 200 items, 3 000 people, a
year. Everything is written by SQL, in the order of time as in use, into tables whose indexes and
foreign keys are made afterwards; nothing of it goes through the write-ahead log.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path

import asyncpg

from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit.migrations import upgrade
from servicekit.partitions import add_months, first_id
from services.evaluation.scores.counting import COUNTS, OPENED, OUTCOMES, SUBJECTS, by_day, truth

PASSWORD = "bench"
FIRST = date(2025, 1, 1)
TABLES = ("case_copy", "evaluable", "rating", "rectification", "rectification_step")
_COUNTY = "'1408' || lpad((1 + n % 13)::text, 2, '0')"
_VILLAGE = (
    "(140800000000 + (1 + n % 13)::bigint * 1000000 + (1 + (n / 13) % 10)::bigint * 1000 "
    "+ 1 + (n / 130) % 20)::text"
)
_UNIT = f"{_COUNTY} || '000000:unit-' || chr(97 + ((n / 7) % 15)::int)"
_DAY = "DATE '2025-01-01' + (n * 365 / (CAST($1 AS bigint) + 1))::int"
_OPENED_AT = "timestamptz '2025-01-01' + interval '365 days' * (n::float8 / ($1::bigint + 1))"


def _id(letter: str) -> str:
    """Ids in the order of time, as the service makes them."""
    return (
        f"(lpad(to_hex((extract(epoch FROM {_OPENED_AT}) * 1000)::bigint), 12, '0') || '7' "
        f"|| substr(md5('{letter}' || n), 1, 3) || '8' || substr(md5('{letter}' || n), 4, 15))::uuid"
    )


_BAD = "n % 100 >= 97"
_ALL = "FROM generate_series(1::bigint, $1::bigint) n"
FILL = (
    f"""INSERT INTO case_copy (case_id, case_version, case_number, request_id, applicant_id,
      item_id, item_code, item_name, unit_code, division_code, completed_version, completed_on,
      promised_on)
    SELECT {_id("c")}, 5, 'B' || n, md5('q' || n)::uuid, md5('a' || n % 500000)::uuid,
      md5('i' || n % 200)::uuid, 'item-' || n % 200, '事项' || n % 200, {_UNIT}, {_VILLAGE}, 5,
      {_DAY}, {_DAY} + (n % 9 - 1)::int {_ALL}""",
    f"""INSERT INTO evaluable (id, case_id, service_number, applicant_id, unit_code, handler_id,
      window_code, facility_id, opened_at, open_until, is_rated)
    SELECT {_id("e")}, {_id("c")}, 5, md5('a' || n % 500000)::uuid, {_UNIT},
      md5('h' || n % 3000)::uuid, (1 + n % 8)::text, md5('f' || n % 2600)::uuid,
      {_OPENED_AT}, {_DAY} + 30, true {_ALL}""",
    f"""INSERT INTO rating (id, evaluable_id, assess_number, origin, level, tags, findings, channel,
      given_at, given_on, item_id, unit_code, responsible_division, division_code, state)
    SELECT md5('r' || n)::uuid, {_id("e")}, 1, 'resident',
      (ARRAY['very-satisfied', 'satisfied', 'fairly-satisfied', 'dissatisfied',
        'very-dissatisfied'])[CASE WHEN n % 100 < 70 THEN 1 WHEN n % 100 < 90 THEN 2
        WHEN n % 100 < 97 THEN 3 WHEN n % 100 < 99 THEN 4 ELSE 5 END],
      '{{}}', '{{}}', (ARRAY['portal', 'mini-program', 'qr-code', 'window'])[1 + n % 4],
      {_OPENED_AT} + interval '1 day' * (n % 3), {_DAY} + (n % 3)::int, md5('i' || n % 200)::uuid,
      {_UNIT}, left({_UNIT}, 12), {_VILLAGE}, 'counted' {_ALL}""",
    f"""INSERT INTO rating (id, evaluable_id, assess_number, origin, level, tags, findings, channel,
      given_at, given_on, item_id, unit_code, responsible_division, division_code, state)
    SELECT md5('s' || n)::uuid, {_id("e")}, 2, 'resident', 'satisfied', '{{}}', '{{}}', 'portal',
      {_OPENED_AT} + interval '9 days', {_DAY} + 9, md5('i' || n % 200)::uuid,
      {_UNIT}, left({_UNIT}, 12), {_VILLAGE}, 'counted' {_ALL} WHERE n % 100 = 99""",
    f"""INSERT INTO rectification (id, evaluable_id, rating_id, unit_code, responsible_division,
      state, version, opened_at, limit_from, limit_days, due_on, replied_at, solved)
    SELECT md5('m' || n)::uuid, {_id("e")}, md5('r' || n)::uuid, {_UNIT}, left({_UNIT}, 12),
      CASE WHEN n % 7 < 5 THEN 'closed' ELSE 'replied' END, 6,
      {_OPENED_AT} + interval '1 day' * (n % 3), {_DAY} + (n % 3)::int, 5, {_DAY} + 7,
      {_OPENED_AT} + interval '1 day' * (3 + n % 9), n % 7 < 5 {_ALL} WHERE {_BAD}""",
    f"""INSERT INTO rectification_step (id, rectification_id, version, action, from_state, to_state,
      happened_at)
    SELECT md5('t' || n)::uuid, md5('m' || n)::uuid, 6, 'confirm-solved', 'replied', 'closed',
      {_OPENED_AT} + interval '13 days' {_ALL} WHERE {_BAD} AND n % 7 < 5""",
)
_CONSTRAINTS = """
SELECT conrelid::regclass::text AS name, conname, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE (conrelid = ANY($1::text[]::regclass[]) OR confrelid = ANY($1::text[]::regclass[]))
  AND contype IN ('p', 'u', 'f') ORDER BY contype = 'f'
"""
_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
WHERE indrelid = ANY($1::text[]::regclass[])
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
_KEY = "subject_kind, subject_id, day"
_NAMES = ", ".join(COUNTS)
_SUMS = ", ".join(f"sum({name})::int" for name in COUNTS)
ROLL_UPS = (
    (
        f"INSERT INTO score_month ({_KEY}, {_NAMES}) SELECT subject_kind, subject_id, "
        f"date_trunc('month', day)::date, {_SUMS} FROM score_day GROUP BY 1, 2, 3"
    ),
    (
        f"INSERT INTO score_year ({_KEY}, {_NAMES}) SELECT subject_kind, subject_id, "
        f"date_trunc('year', day)::date, {_SUMS} FROM score_month GROUP BY 1, 2, 3"
    ),
    (
        "INSERT INTO score (subject_kind, subject_id, division_code, revision, changed_at, "
        f"{_NAMES}) SELECT subject_kind, subject_id, CASE WHEN subject_kind = 'division' THEN "
        "subject_id WHEN subject_kind IN ('unit', 'window') THEN left(subject_id, 12) END, 1, now(), "
        f"{_SUMS} FROM score_year GROUP BY 1, 2"
    ),
    # People and places belong to the county of their unit.
    (
        "UPDATE score s SET division_code = left(f.unit_code, 12) FROM (SELECT DISTINCT ON (handler_id) "
        "handler_id::text AS id, unit_code FROM score_fact ORDER BY handler_id, unit_code DESC) f "
        "WHERE s.subject_kind = 'person' AND s.subject_id = f.id"
    ),
    (
        "UPDATE score s SET division_code = left(f.unit_code, 12) FROM (SELECT DISTINCT ON (facility_id) "
        "facility_id::text AS id, unit_code FROM score_fact ORDER BY facility_id, unit_code DESC) f "
        "WHERE s.subject_kind = 'facility' AND s.subject_id = f.id"
    ),
)


@contextmanager
def server_at(directory: Path) -> Iterator[PostgresServer]:
    """PostgreSQL in a directory, which stays."""
    server = PostgresServer(directory / "postgres", pick_free_port(), fast=True)
    server.start()
    try:
        yield server
    finally:
        server.stop(60)


async def prepare(server: PostgresServer, ratings: int) -> str:
    """The address of a database with so many ratings; filled unless an earlier run did."""
    name = f"ratings_{ratings}"
    async with _connection(server.superuser_dsn) as admin:
        is_there = await admin.fetchval("SELECT true FROM pg_database WHERE datname = $1", name)
        if not is_there:
            await admin.execute("DROP DATABASE IF EXISTS filling")
            await admin.execute("ALTER SYSTEM SET wal_level = 'minimal'")
            await admin.execute("ALTER SYSTEM SET max_wal_senders = 0")
            await admin.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
    if not is_there:
        server.restart()
        server.create_database("evaluation", "filling", PASSWORD)
        await _upgrade(server.dsn("filling", "evaluation", PASSWORD))
        started = time.perf_counter()
        async with _connection(server.dsn("filling", "evaluation", PASSWORD)) as connection:
            await fill(connection, ratings)
            await count(connection)
        async with _connection(server.superuser_dsn) as admin:
            await admin.execute(f"ALTER DATABASE filling RENAME TO {name}")
        print(f"{ratings:,} ratings filled in {(time.perf_counter() - started) / 60:.1f} min")
    dsn = server.dsn(name, "evaluation", PASSWORD)
    await _upgrade(dsn)
    return dsn


async def _upgrade(dsn: str) -> None:
    url = dsn.replace("postgresql://", "postgresql+asyncpg://")
    await asyncio.to_thread(upgrade, "services.evaluation.migrations", url)


async def fill(connection: "asyncpg.Connection[asyncpg.Record]", ratings: int) -> None:
    """Cases, services, ratings and rectifications, and the scores of them."""
    await connection.execute("SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'")
    async with _bare(connection, TABLES):
        for statement in FILL:
            await _timed(connection, statement, ratings)
    await connection.execute("VACUUM ANALYZE")
    columns = ", ".join((*(f"o.{n}" for n in SUBJECTS), *(f"t.{n}" for n in OUTCOMES)))
    months = [add_months(FIRST, n) for n in range(12)]
    async with _bare(connection, ("score_fact",)):
        for month in months:
            ids = f"e.id >= '{first_id(month)}' AND e.id < '{first_id(add_months(month, 1))}'"
            await _timed(
                connection,
                f"INSERT INTO score_fact (evaluable_id, {', '.join((*SUBJECTS, *OUTCOMES))}) "
                f"SELECT evaluable_id, {columns} "
                f"FROM ({OPENED} WHERE {ids}) o JOIN ({truth(ids)}) t USING (evaluable_id) "
                "ORDER BY evaluable_id",
            )
    await connection.execute("VACUUM ANALYZE score_fact")


async def count(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """The roll-ups of all there is."""
    await connection.execute("SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'")
    months = [add_months(FIRST, n) for n in range(12)]
    async with _bare(connection, ("score_day", "score_month", "score_year", "score")):
        for month in (*months, add_months(FIRST, 12)):
            days = f"{{day}} >= '{month}' AND {{day}} < '{add_months(month, 1)}'"
            counted = by_day("SELECT 1 AS sign, * FROM score_fact", days)
            await _timed(
                connection,
                f"INSERT INTO score_day ({_KEY}, {_NAMES}) SELECT {_KEY}, {_NAMES} "
                f"FROM ({counted}) counted ORDER BY day, subject_kind, subject_id",
            )
        for statement in ROLL_UPS:
            await _timed(connection, statement)
    await connection.execute("VACUUM ANALYZE")


async def _timed(
    connection: "asyncpg.Connection[asyncpg.Record]", statement: str, *values: object
) -> None:
    started = time.perf_counter()
    said = await connection.execute(statement, *values, timeout=7200)
    words = " ".join(statement.split()[:3])
    print(f"  {time.perf_counter() - started:7.1f} s  {words}: {said}", flush=True)


@asynccontextmanager
async def _bare(
    connection: "asyncpg.Connection[asyncpg.Record]", tables: tuple[str, ...]
) -> AsyncIterator[None]:
    """One transaction in which tables are empty and have neither index nor key; then again all."""
    async with connection.transaction():
        await connection.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        constraints = await connection.fetch(_CONSTRAINTS, list(tables))
        indexes = await connection.fetch(_INDEXES, list(tables))
        for row in reversed(constraints):
            await connection.execute(f"ALTER TABLE {row['name']} DROP CONSTRAINT {row['conname']}")
        for row in indexes:
            await connection.execute(f"DROP INDEX {row['name']}")
        yield
        for row in constraints:
            await _timed(
                connection,
                f"ALTER TABLE {row['name']} ADD CONSTRAINT {row['conname']} {row['definition']}",
            )
        for row in indexes:
            await _timed(connection, row["definition"])


@asynccontextmanager
async def _connection(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()
