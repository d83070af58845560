"""How the lists of cases grow with the cases: `python -m bench.lists`.

Starts a real PostgreSQL, fills the tables of the requests service by SQL (nine of ten cases are
over; four units of ten thousand hold a tenth of the open ones), and asks what people ask: a unit's
list, a county's list, a deep page, the red ones, a resident's own cases, one case with its history,
the counts, and the scan of what is overdue. Prints milliseconds at the median of many calls and the
pages each touches, at every size, and the growth. `--sizes 100000 1000000 10000000` for all three;
the largest needs about 12 GB of disk.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit.auth import Caller
from servicekit.database import Database
from servicekit.migrations import upgrade
from servicekit.partitions import Partitioned, add_months, months_from
from services.requests.cases import repository as cases
from services.requests.definition import SERVICE
from services.requests.submissions.repository import list_of_account
from services.requests.worklists import repository as lists
from services.requests.worklists.schemas import WorkListFilter
from services.requests.worklists.service import list_work
from tests.support.service import settings_for

UNIT, COUNTY = "140802000000:civil-affairs", "140802000000"
HANDLER = Caller(UUID(int=1), "staff", frozenset({"handler"}), "", 0, COUNTY, None, UNIT)
SUPERVISOR = Caller(UUID(int=2), "staff", frozenset({"supervisor"}), "", 0, COUNTY)
OVERDUE = text(
    "SELECT id FROM service_case WHERE due_on < :today "
    "AND state IN ('received', 'correcting', 'accepted', 'paused', 'decided') "
    "ORDER BY due_on, id LIMIT 100"
)
CALLS = 60
#: Ids are UUIDv7 of the last two years, so that partitions and indexes look as in use.
_ID = """
(lpad(to_hex((extract(epoch FROM current_date - interval '1 day' * 730 * (1 - n::float8 / CAST(:total AS bigint))) * 1000)
 ::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid
"""
FILL = {
    "requests": f"""
INSERT INTO citizen_request (id, number, applicant_id, applicant_name, identity_number,
    identity_index, mobile, mobile_index, division_code, channel, submitted_at, received_on)
SELECT {_ID}, 'B' || n, md5((n % (CAST(:total AS bigint) / 5))::text)::uuid, 'v1:bench:none', 'v1:bench:none',
    decode(md5(n::text), 'hex'), 'v1:bench:none', decode(md5('m' || n), 'hex'),
    '1408' || lpad((1 + n % 13)::text, 2, '0') || lpad((n % 20)::text, 3, '0')
        || lpad((n % 300)::text, 3, '0'),
    'portal', now(), current_date FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
""",
    "cases": f"""
INSERT INTO service_case (id, request_id, case_number, applicant_id, division_code, item_id,
    item_code, item_name, item_version, promised_days, promised_unit, unit_code, unit_name, state,
    version, answers, materials, routing, received_on, due_on, light)
SELECT {_ID}, {_ID}, 'B' || n || '-01', md5((n % (CAST(:total AS bigint) / 5))::text)::uuid,
    '1408' || lpad((1 + n % 13)::text, 2, '0') || lpad((n % 20)::text, 3, '0')
        || lpad((n % 300)::text, 3, '0'),
    md5((n % 2000)::text)::uuid, 'bench:' || n % 2000, '事项' || n % 2000, 1, 20, 'working-days',
    CASE WHEN n % 1000 < 4 THEN '140802000000:civil-affairs'
         ELSE '1408' || lpad((1 + n % 13)::text, 2, '0') || '000000:department-' || n % 700 END,
    '单位', CASE WHEN n % 10 = 3 THEN 'accepted' WHEN n % 1000 < 4 THEN 'received'
        ELSE 'completed' END,
    1, 'v1:bench:none', '[]', '{{}}', current_date, current_date - 20 + (n % 60)::int,
    CASE WHEN n % 60 < 20 THEN 'red' WHEN n % 60 < 22 THEN 'yellow' ELSE 'green' END
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
""",
    "history": f"""
INSERT INTO case_history (case_id, version, action, to_state, happened_at)
SELECT {_ID}, 1, 'submit', 'received', now() FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
""",
}
CHUNK = 20_000


async def fill(database: Database, before: int, total: int) -> None:
    """Add cases up to a total; ids of later calls lie between those of earlier ones."""
    for first in range(before + 1, total + 1, CHUNK):
        last = min(first + CHUNK - 1, total)
        for statement in FILL.values():
            async with database.transaction() as session:
                await session.execute(text("SET LOCAL statement_timeout = 0"))
                await session.execute(
                    text(statement), {"first": first, "last": last, "total": total}
                )
        async with database.transaction() as session:
            while await lists.fold_deltas(session, 20_000):
                pass
    connection = await database.connect()
    await connection.execute("VACUUM (ANALYZE)", timeout=3600)
    await connection.close()


Question = Callable[[AsyncSession, dict[str, Any]], Awaitable[Any]]


def questions() -> dict[str, Question]:
    """What is asked; the samples hold real ids and a place deep in the list."""
    nothing, red = WorkListFilter(), WorkListFilter.model_validate({"light": "red"})

    async def page(session: AsyncSession, chosen: WorkListFilter, who: Caller, after: Any) -> Any:
        return await list_work(session, chosen, caller=who, after=after, limit=20)

    return {
        "a unit's list": lambda s, _: page(s, nothing, HANDLER, None),
        "a unit's red cases": lambda s, _: page(s, red, HANDLER, None),
        "a county's list": lambda s, _: page(s, nothing, SUPERVISOR, None),
        "the county's list, deep": lambda s, at: page(s, nothing, SUPERVISOR, at["deep"]),
        "my requests": lambda s, at: list_of_account(s, at["applicant"], after=None, limit=20),
        "one case": lambda s, at: cases.find_case(s, at["case"]),
        "its history": lambda s, at: cases.list_history(s, at["case"]),
        "counts of a unit": lambda s, _: lists.count_of_unit(s, UNIT),
        "counts of a county": lambda s, _: lists.count_within(s, COUNTY),
        "what is overdue": lambda s, at: s.execute(OVERDUE, {"today": at["today"]}),
    }


async def pages_of(database: Database, ask: Question, at: dict[str, Any]) -> int:
    """Shared pages that a question touches, by EXPLAIN of every statement it makes."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    async with database.reading() as session:
        await ask(session, at)
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)
    pages = 0
    connection = await database.connect()
    for statement, parameters in seen:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            plan = await connection.fetchval(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *parameters
            )
            root = orjson.loads(plan)[0]["Plan"]
            pages += root["Shared Hit Blocks"] + root["Shared Read Blocks"]
    await connection.close()
    return pages


async def sample(database: Database, size: int) -> list[dict[str, Any]]:
    """Cases and people drawn at random, and a place in the middle of the county's list."""
    async with database.reading() as session:
        drawn = await session.execute(
            text(
                "SELECT id, applicant_id FROM service_case "
                f"TABLESAMPLE BERNOULLI ({min(100.0, 400.0 * CALLS / size)}) LIMIT {CALLS}"
            )
        )
        people = drawn.all()
        today = (await session.execute(text("SELECT current_date"))).scalar_one()
    deep = (today + timedelta(days=15), UUID(int=0))
    return [
        {"case": row.id, "applicant": row.applicant_id, "deep": deep, "today": today}
        for row in people
    ]


async def measure(database: Database, size: int) -> dict[str, tuple[float, int]]:
    """Milliseconds at the median and pages of every question."""
    places = await sample(database, size)
    random.Random(7).shuffle(places)
    measured = {}
    for name, ask in questions().items():
        times = []
        async with database.reading() as session:
            for at in places:
                started = time.perf_counter()
                await ask(session, at)
                times.append((time.perf_counter() - started) * 1000)
        measured[name] = (median(times), await pages_of(database, ask, places[0]))
    return measured


async def run(directory: Path, sizes: list[int]) -> None:
    server = PostgresServer(directory / "postgres", pick_free_port(), fast=True)
    server.start()
    try:
        server.create_database("requests", "requests", "bench")
        dsn = server.dsn("requests", "requests", "bench")
        url = dsn.replace("postgresql://", "postgresql+asyncpg://")
        await asyncio.to_thread(upgrade, SERVICE.migrations, url)
        database = Database(settings_for(SERVICE.settings, dsn), application_name="bench")
        async with database.transaction() as session:
            for month in months_from(add_months(datetime.now(UTC).date().replace(day=1), -25), 25):
                await session.execute(text(Partitioned("case_history").create(month)))
        before = 0
        last: dict[str, tuple[float, int]] = {}
        for size in sizes:
            started = time.perf_counter()
            await fill(database, before, size)
            print(f"\n{size:,} cases (filled in {time.perf_counter() - started:.0f} s)")
            measured = await measure(database, size)
            for name, (milliseconds, pages) in measured.items():
                growth = ""
                if name in last:
                    was_ms, was_pages = last[name]
                    growth = f"   ×{milliseconds / was_ms:.2f} in time, {was_pages} pages before"
                print(f"  {name:<24}{milliseconds:8.2f} ms{pages:8} pages{growth}")
            before, last = size, measured
        await database.close()
    finally:
        server.remove()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(run(Path(directory), arguments.sizes))


if __name__ == "__main__":
    main()
