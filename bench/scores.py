"""What scores cost as ratings grow: `python -m bench.scores --ratings 100000 1000000`.

Fills a database with cases, services and ratings by SQL, counts everything once, and then reads what
a dashboard reads: from the roll-ups, and by the GROUP BY over the facts that they replace. Told are
pages touched (EXPLAIN BUFFERS) and milliseconds, the time of one rating's settlement, of an export,
and of a recount. Ten million ratings want some 15 GB of disk and most of an hour.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bench.harness import Figure, show
from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit.migrations import upgrade
from servicekit.outbox import now
from services.evaluation.models import SubjectKind
from services.evaluation.scores import recounting, repository, settling
from services.evaluation.scores.repository import Peers
from services.evaluation.scores.rules import Grain

PASSWORD = "bench"
#: A city of 13 counties with 10 townships of 20 villages, 15 units a county, 200 items, a year.
VILLAGE = (
    "(140800000000 + (1 + n % 13)::bigint * 1000000 + (1 + (n / 13) % 10)::bigint * 1000 "
    "+ 1 + (n / 130) % 20)::text"
)
UNIT = "'1408' || lpad((1 + n % 13)::text, 2, '0') || '000000:unit-' || chr(97 + ((n / 7) % 15))"
FILL = (
    f"""INSERT INTO case_copy (case_id, case_version, case_number, request_id, applicant_id,
      item_id, item_code, item_name, unit_code, division_code, completed_version, completed_on,
      promised_on)
    SELECT md5('c' || n)::uuid, 5, 'B' || n, md5('q' || n)::uuid, md5('a' || n % 500000)::uuid,
      md5('i' || n % 200)::uuid, 'item-' || n % 200, '事项' || n % 200, {UNIT}, {VILLAGE}, 5, d,
      d + (n % 9 - 1)
    FROM (SELECT n, DATE '2026-01-01' + (n % 365)::int AS d
      FROM generate_series(CAST(:first AS int), :last) n) t""",
    f"""INSERT INTO evaluable (id, case_id, service_number, applicant_id, unit_code, handler_id,
      window_code, facility_id, opened_at, open_until, is_rated)
    SELECT md5('e' || n)::uuid, md5('c' || n)::uuid, 5, md5('a' || n % 500000)::uuid, {UNIT},
      md5('h' || n % 3000)::uuid, (1 + n % 8)::text, md5('f' || n % 2600)::uuid,
      (DATE '2026-01-01' + (n % 365)::int)::timestamptz, DATE '2027-12-31', true
    FROM generate_series(CAST(:first AS int), :last) n""",
    f"""INSERT INTO rating (id, evaluable_id, assess_number, origin, level, tags, findings, channel,
      given_at, given_on, item_id, unit_code, responsible_division, division_code, state)
    SELECT md5('r' || n)::uuid, md5('e' || n)::uuid, 1, 'resident',
      (ARRAY['very-satisfied', 'satisfied', 'fairly-satisfied', 'dissatisfied',
        'very-dissatisfied'])[CASE WHEN n % 100 < 70 THEN 1 WHEN n % 100 < 90 THEN 2
        WHEN n % 100 < 97 THEN 3 WHEN n % 100 < 99 THEN 4 ELSE 5 END],
      '{{}}', '{{}}', (ARRAY['portal', 'mini-program', 'qr-code', 'window'])[1 + n % 4],
      d::timestamptz, d, md5('i' || n % 200)::uuid, {UNIT}, left({UNIT}, 12), {VILLAGE}, 'counted'
    FROM (SELECT n, DATE '2026-01-01' + ((n + n % 3) % 365)::int AS d
      FROM generate_series(CAST(:first AS int), :last) n) t""",
)
CHUNK = 500_000
MARK = ">= 30"
COUNTY, UNIT_CODE = "140801000000", "140801000000:unit-a"
_LEVELS = "count(*) FILTER (WHERE current_level = 'satisfied')"
#: What a dashboard asks → from the roll-ups, and by the facts they are made of.
QUESTIONS = {
    "villages of a county in a month": (
        (
            "SELECT * FROM score_month WHERE day = '2026-06-01' AND subject_kind = 'division' "
            "AND subject_id LIKE '140801%'"
        ),
        (
            f"SELECT division_code, count(*), {_LEVELS} FROM score_fact "
            "WHERE rated_on BETWEEN '2026-06-01' AND '2026-06-30' AND division_code LIKE '140801%' "
            "GROUP BY division_code"
        ),
    ),
    "a county month by month": (
        (
            "SELECT * FROM score_month WHERE subject_kind = 'division' AND subject_id = "
            f"'{COUNTY}' AND day BETWEEN '2026-01-01' AND '2026-12-31'"
        ),
        (
            f"SELECT date_trunc('month', rated_on), count(*), {_LEVELS} FROM score_fact "
            "WHERE division_code LIKE '140801%' GROUP BY 1"
        ),
    ),
    "the 20 best units": (
        (
            "SELECT * FROM score WHERE subject_kind = 'unit' AND satisfaction_floor IS NOT NULL "
            "ORDER BY satisfaction_floor DESC, subject_id LIMIT 20"
        ),
        f"SELECT unit_code, count(*), {_LEVELS} FROM score_fact GROUP BY 1 ORDER BY 3 DESC LIMIT 20",
    ),
    "one unit over all time": (
        f"SELECT * FROM score WHERE subject_kind = 'unit' AND subject_id = '{UNIT_CODE}'",
        f"SELECT count(*), {_LEVELS} FROM score_fact WHERE unit_code = '{UNIT_CODE}'",
    ),
}


async def fill(session: AsyncSession, ratings: int) -> None:
    """Cases, services and ratings, numbered from 1."""
    for first in range(1, ratings + 1, CHUNK):
        bounds = {"first": first, "last": min(first + CHUNK - 1, ratings)}
        for statement in FILL:
            await session.execute(text(statement), bounds)


async def explain(session: AsyncSession, query: str) -> tuple[float, float]:
    """Pages touched, and milliseconds at the median of three."""
    times, pages = [], 0.0
    for _ in range(3):
        found = await session.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}"))
        plan: Mapping[str, Any] = found.scalar_one()[0]
        times.append(float(plan["Execution Time"]))
        pages = float(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])
    return pages, median(times)


async def ask(session: AsyncSession, mark: str) -> list[Figure]:
    """Every question both ways."""
    figures = []
    for name, (rolled_up, grouped) in QUESTIONS.items():
        pages, ms = await explain(session, rolled_up)
        more_pages, more_ms = await explain(session, grouped)
        figures += [
            Figure(f"{name}: pages from the roll-up", "pages", [pages]),
            Figure(f"{name}: GROUP BY touches", "times", [more_pages / max(pages, 1)]),
            Figure(f"{name}: from the roll-up", "ms", [ms]),
            Figure(f"{name}: GROUP BY takes", "times", [more_ms / ms], mark),
        ]
    return figures


async def settle(sessions: Any, count: int = 50) -> Figure:
    """One rating's change of level, brought into all its roll-ups and committed."""
    times = []
    for n in range(1, count + 1):
        async with sessions() as session, session.begin():
            evaluable_id = (
                await session.execute(text("SELECT md5('e' || :n)::uuid"), {"n": str(n)})
            ).scalar_one()
            await session.execute(
                text("UPDATE rating SET level = 'satisfied' WHERE evaluable_id = :id"),
                {"id": evaluable_id},
            )
            started = time.perf_counter()
            await settling.settle(session, [UUID(str(evaluable_id))])
        times.append((time.perf_counter() - started) * 1000)
    return Figure("one rating settled in all its roll-ups", "ms", times)


async def export(session: AsyncSession) -> Figure:
    """All villages of a month, as an export reads them."""
    started, rows = time.perf_counter(), 0
    after: tuple[date, str] | None = None
    while True:
        page = await repository.page_of_rows(
            session,
            Peers(SubjectKind.division, None, "14"),
            Grain.month,
            first=date(2026, 1, 1),
            last=date(2026, 12, 31),
            after=after,
            limit=2_000,
        )
        rows += len(page)
        if len(page) < 2_000:
            return Figure(
                "rows exported a second", "rows", [rows / (time.perf_counter() - started)]
            )
        after = (page[-1].day, page[-1].subject_id)


async def measure(dsn: str, ratings: int, mark: str) -> list[Figure]:
    """Everything at one size; the mark is what the GROUP BY has to take more of time."""
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://"))
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with sessions() as session, session.begin():
        await fill(session, ratings)
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))
    figures = []
    for name in ("counted from nothing", "recounted, nothing differs"):
        started = time.perf_counter()
        async with sessions() as session, session.begin():
            differing = await recounting.count(session)
            if differing:
                await recounting.correct(session, differing, now())
        figures.append(Figure(name, "s", [time.perf_counter() - started]))
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))
    async with sessions() as session, session.begin():
        for name, query in (
            ("facts", "SELECT count(*) FROM score_fact"),
            ("rows by day", "SELECT count(*) FROM score_day"),
            ("rows by month", "SELECT count(*) FROM score_month"),
            ("subjects", "SELECT count(*) FROM score"),
        ):
            count = (await session.execute(text(query))).scalar_one()
            figures.append(Figure(name, "", [float(count)]))
        figures += await ask(session, mark)
        figures.append(await export(session))
    figures.append(await settle(sessions))
    await engine.dispose()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, nargs="+", default=[100_000, 1_000_000])
    sizes = parser.parse_args().ratings
    for ratings in sizes:
        mark = MARK if ratings == max(sizes) else ""
        with tempfile.TemporaryDirectory() as directory:
            server = PostgresServer(Path(directory) / "postgres", pick_free_port(), fast=True)
            server.start()
            try:
                server.create_database("evaluation", "scores", PASSWORD)
                dsn = server.dsn("scores", "evaluation", PASSWORD)
                upgrade(
                    "services.evaluation.migrations",
                    dsn.replace("postgresql://", "postgresql+asyncpg://"),
                )
                show(f"Scores of {ratings:,} ratings", asyncio.run(measure(dsn, ratings, mark)))
            finally:
                server.remove()


if __name__ == "__main__":
    main()
