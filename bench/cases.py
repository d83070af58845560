"""Databases with many cases, as if two years of work lay in them: built whole, by SQL.

Whatever the size, everybody is alike: a resident has five requests over the two years, one request in
ten has an agent, one case in ten is open. What grows is their number, so that a growth of pages or
milliseconds is the tables' and not the people's. Four cases of a thousand, all open, lie with one
unit: its list does grow, from 400 cases at 100 thousand to 40 000 at ten million. Four things happen to a case within four weeks, so its history lies in several places.

Rows are written in the order of their ids, as time does it, with only the keys in place; every
other index is made afterwards, as are the counts that triggers would have kept.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from devstack.postgres import PostgresServer
from servicekit.migrations import upgrade
from servicekit.partitions import Partitioned, add_months, months_from
from services.requests.definition import SERVICE

UNIT, COUNTY = "140802000000:civil-affairs", "140802000000"
PASSWORD = "bench"
MONTHS = 26
BATCH = 500_000
#: So many things happen to a case, each a week after the one before, among what happens to others.
STEPS, STEPS_APART = 4, 104

#: Ids are UUIDv7 of the last two years, so that partitions and indexes look as in use.
_ID = """(lpad(to_hex((extract(epoch FROM current_date - interval '1 day' * 730
    * (1 - n::float8 / {total})) * 1000)::bigint), 12, '0')
    || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid"""
_PERSON = "md5('r' || ({n}) % ({total} / 5))::uuid"
_DIVISION = (
    "'1408' || lpad((1 + n % 13)::text, 2, '0') || lpad((n % 20)::text, 3, '0') "
    "|| lpad((n % 300)::text, 3, '0')"
)
_NUMBER = "'1408' || lpad((1 + n % 13)::text, 2, '0') || '-260101-' || lpad(n::text, 9, '0')"
_OPEN = "(n % 10 = 3 OR n % 1000 < 4)"
_SECRET = "'v1:bench:' || repeat('x', 48)"
_ROWS = f"FROM (SELECT n, {_ID} AS id FROM generate_series({{first}}, {{last}}) AS n OFFSET 0) AS r"

_FILL = {
    "citizen_request": f"""
INSERT INTO citizen_request (id, number, applicant_id, applicant_name, identity_number,
    identity_index, mobile, mobile_index, division_code, channel, submitted_at, received_on)
SELECT id, {_NUMBER}, {_PERSON.format(n="n", total="{total}")}, {_SECRET}, {_SECRET},
    sha256(('i' || n % ({{total}} / 5))::bytea), {_SECRET},
    sha256(('m' || n % ({{total}} / 5))::bytea), {_DIVISION}, 'portal', now(), current_date {_ROWS}
""",
    "request_party": f"""
INSERT INTO request_party (id, request_id, role, account_id, name, identity_index, mobile_index)
SELECT id, id, 'agent', {_PERSON.format(n="n / 10", total="{total}")}, {_SECRET},
    sha256(('a' || n)::bytea), sha256(('b' || n)::bytea) {_ROWS} WHERE n % 10 = 0
""",
    "service_case": f"""
INSERT INTO service_case (id, request_id, case_number, applicant_id, division_code, item_id,
    item_code, item_name, item_version, promised_days, promised_unit, unit_code, unit_name, state,
    version, answers, materials, routing, received_on, due_on, light)
SELECT id, id, {_NUMBER} || '-01', {_PERSON.format(n="n", total="{total}")}, {_DIVISION},
    md5((n % 2000)::text)::uuid, 'bench:' || n % 2000, '事项' || n % 2000, 1, 20, 'working-days',
    CASE WHEN n % 1000 < 4 THEN '{UNIT}'
         ELSE '1408' || lpad((1 + n % 13)::text, 2, '0') || '000000:department-' || n % 700 END,
    '单位', CASE WHEN NOT {_OPEN} THEN 'completed' WHEN n % 10 = 3 THEN 'accepted' ELSE 'received' END,
    1, {_SECRET}, '[]', '{{{{}}}}', current_date, current_date - 20 + (n % 60)::int,
    CASE WHEN n % 60 < 20 THEN 'red' WHEN n % 60 < 22 THEN 'yellow' ELSE 'green' END {_ROWS}
""",
    "case_history": f"""
INSERT INTO case_history (case_id, version, action, to_state, happened_at, recorded_in)
SELECT {_ID}, version, 'submit', 'received', now(),
    happened::bigint * (SELECT (pg_current_xact_id()::text)::bigint) / {{total}}
FROM (
    SELECT happened, happened - (version - 1) * {{total}} / {STEPS_APART} AS n, version
    FROM generate_series({{first}}, {{last}}) AS happened, generate_series(1, {STEPS}) AS version
) AS step WHERE n > 0
""",
    "timer": f"""
INSERT INTO timer (kind, subject_id, due_at)
SELECT 'deadline-passed', id, now() + interval '1 day' * (n % 60 - 0.001) {_ROWS} WHERE {_OPEN}
""",
}
#: What the triggers of `service_case` and the worker's fold would have come to.
_COUNT = """
INSERT INTO work_count (unit_code, township, state, light, cases)
SELECT unit_code, "left"(division_code, 9), state, light, count(*) FROM service_case
WHERE state IN ('received', 'accepted') GROUP BY 1, 2, 3, 4
"""
_INDEXES = """
SELECT pg_get_indexdef(i.indexrelid), c.relname FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY($1::text[]::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
"""
_TRIGGERS = """
SELECT tgname, pg_get_triggerdef(oid) AS definition FROM pg_trigger
WHERE tgrelid = 'service_case'::regclass AND NOT tgisinternal
"""
_SETTINGS = {"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "8GB"}


@dataclass(frozen=True)
class Built:
    """A database with so many cases."""

    cases: int

    @property
    def name(self) -> str:
        return f"cases_{self.cases}"

    def dsn(self, server: PostgresServer) -> str:
        return server.dsn(self.name, "requests", PASSWORD)


async def prepare(server: PostgresServer) -> None:
    """Let the server take rows in bulk: what is lost in a crash is built again."""
    connection = await asyncpg.connect(server.superuser_dsn)
    for name, value in _SETTINGS.items():
        await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    await connection.close()
    await asyncio.to_thread(server.restart)


async def is_built(server: PostgresServer, built: Built) -> bool:
    """Whether an earlier run has left this database behind, complete."""
    connection = await asyncpg.connect(server.superuser_dsn)
    found = await connection.fetchval(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1",
        built.name,
    )
    await connection.close()
    return bool(found == "complete")


async def build(server: PostgresServer, built: Built) -> None:
    """Make one database; prints what takes how long."""
    started = time.perf_counter()
    server.create_database("requests", built.name, PASSWORD)
    url = built.dsn(server).replace("postgresql://", "postgresql+asyncpg://")
    await asyncio.to_thread(upgrade, SERVICE.migrations, url)
    by_superuser = server.superuser_dsn.rsplit("/", 1)[0] + f"/{built.name}"
    connection = await asyncpg.connect(by_superuser, command_timeout=7200)
    await connection.execute(
        "SET session_replication_role = replica; SET synchronous_commit = off; "
        "SET maintenance_work_mem = '512MB'; SET statement_timeout = 0"
    )
    await _make_months(connection)
    indexes = await connection.fetch(_INDEXES, list(_FILL))
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['relname']}")
    triggers = await connection.fetch(_TRIGGERS)
    for trigger in triggers:
        await connection.execute(f"DROP TRIGGER {trigger['tgname']} ON service_case")
    for table, statement in _FILL.items():
        began = time.perf_counter()
        await _fill(connection, table, statement, built.cases)
        _say(f"{table} filled", began)
    for index in indexes:
        began = time.perf_counter()
        await connection.execute(index["pg_get_indexdef"].replace(" ON ONLY ", " ON "))
        _say(f"{index['relname']} built", began)
    for trigger in triggers:
        await connection.execute(trigger["definition"])
    await connection.execute(_COUNT)
    began = time.perf_counter()
    await connection.execute("VACUUM (ANALYZE)")
    _say("vacuumed and analysed", began)
    await connection.execute(f"COMMENT ON DATABASE {built.name} IS 'complete'")
    await connection.execute("CHECKPOINT")
    await connection.close()
    print(f"{built.cases:,} cases built in {(time.perf_counter() - started) / 60:.1f} min")


async def _make_months(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    month = datetime.now(UTC).date().replace(day=1)
    for each in months_from(add_months(month, 1 - MONTHS), MONTHS):
        await connection.execute(Partitioned("case_history").create(each))


async def _fill(
    connection: "asyncpg.Connection[asyncpg.Record]", table: str, statement: str, total: int
) -> None:
    """One transaction that begins with an empty table: its rows need no write-ahead log."""
    async with connection.transaction():
        await connection.execute(f"TRUNCATE {table} CASCADE")
        for first in range(1, total + 1, BATCH):
            last = min(first + BATCH - 1, total)
            await connection.execute(statement.format(first=first, last=last, total=total))


def _say(what: str, began: float) -> None:
    took = time.perf_counter() - began
    if took > 10:
        print(f"  {what} in {took:.0f} s", flush=True)
