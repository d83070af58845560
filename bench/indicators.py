"""A national table of indicators over 620 000 communities: `python -m bench.indicators`.

Tells how long a full count of everything takes, how long the table of the provinces takes from
the sums that are kept, the same from a GROUP BY over all communities, and what keeping the sums
costs one change of a facility; a tenth of the communities beside all of them shows the growth.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from string import Template

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.country import COMMUNITIES, country
from bench.harness import Figure, show
from contracts.values import DivisionLevel
from servicekit.database import Database
from services.facilities.divisions.service import subtree
from services.facilities.indicators import repository, service
from services.facilities.indicators.measures import MEASURED, facts_sql
from services.facilities.models import MEASURES

TIMES = 7
_ONE = text("SELECT code FROM division WHERE level = 'community' ORDER BY md5(code) LIMIT 1")
_CHANGE = text(
    "UPDATE facility SET total_area_m2 = total_area_m2 + 1 "
    "WHERE id = (SELECT id FROM facility WHERE division_code = :code LIMIT 1)"
)
_GROUPED = Template(
    "$facts, measured AS (SELECT code, $measured FROM fact) "
    "SELECT left(code, 2) AS province, $sums FROM measured GROUP BY 1 ORDER BY 1",
).substitute(
    facts=facts_sql().replace(":extra", "$1"),
    measured=MEASURED,
    sums=", ".join(f"sum({name}) AS {name}" for name in MEASURES),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds."""

    recount: float
    table: float
    grouped: float
    change: float


async def _seconds(times: int, work: Callable[[], Awaitable[object]]) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - started)
    return median(taken)


async def _table(session: AsyncSession) -> None:
    await service.table(
        session, within=None, level=DivisionLevel.province, indicator=None, after=None, limit=100
    )


async def measure(communities: int) -> Measured:
    facilities = communities * 2
    async with country(communities=communities, facilities=facilities) as made:
        database = made.database
        recounted = await _seconds(1, lambda: _recount(database))
        async with database.reading() as session:
            table = await _seconds(TIMES, lambda: _table(session))
        grouped = await _seconds(1, lambda: _group(made.dsn))
        changed = await _seconds(TIMES * 3, lambda: _change(database))
        async with database.reading() as session:
            for province in await repository.list_provinces(session):
                assert await repository.count_wrong(session, subtree(province)) == 0
    return Measured(recounted, table, grouped, changed)


async def _group(dsn: str) -> None:
    """As one statement, without the time limit of a service's connection."""
    connection = await asyncpg.connect(dsn, command_timeout=900)
    try:
        await connection.fetch(_GROUPED, "[]")
    finally:
        await connection.close()


async def _recount(database: Database) -> None:
    async with database.transaction() as session:
        await service.recount(session)


async def _change(database: Database) -> None:
    async with database.transaction() as session:
        code = (await session.execute(_ONE)).scalar_one()
        await session.execute(_CHANGE, {"code": code})
        started = time.perf_counter()
        await service.refresh(session, [code])
        _change_seconds.append(time.perf_counter() - started)


_change_seconds: list[float] = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--communities", type=int, default=COMMUNITIES)
    given = parser.parse_args()
    figures: list[Figure] = []
    for communities in (given.communities // 10, given.communities):
        _change_seconds.clear()
        found = asyncio.run(measure(communities))
        size = f"{communities:,} communities"
        ratio = found.grouped / found.table
        figures += [
            Figure(f"{size}: counted from nothing", "s", [found.recount]),
            Figure(f"{size}: table of the provinces", "ms", [found.table * 1000]),
            Figure(f"{size}: the same by GROUP BY", "ms", [found.grouped * 1000]),
            Figure(
                f"{size}: GROUP BY ÷ kept sums",
                "times",
                [ratio],
                ">= 30" if communities == given.communities else "",
            ),
            Figure(
                f"{size}: sums kept after one change",
                "ms",
                [seconds * 1000 for seconds in _change_seconds],
            ),
        ]
    show("Indicators of divisions", figures)


if __name__ == "__main__":
    main()
