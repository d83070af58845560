"""Places in a 15-minute circle among a million: `python -m bench.nearby`.

Tells, for a tenth of the places and for all of them, milliseconds at the median and the 99th
percentile, the 8 KiB pages a query touches, and how much more a full scan touches and takes. The
circle is 1 km, walked in 15 minutes; points are drawn from the places, so that all are in towns.
"""

import argparse
import asyncio
import json
import random
import time
from dataclasses import dataclass
from statistics import mean, median, quantiles
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from bench.country import country
from bench.harness import Figure, show
from services.facilities.nearby.repository import NearbyFilter, around
from services.facilities.nearby.service import MOST_CANDIDATES
from services.facilities.positions.rules import Point

METRES = 1000
PLANNED = 40
_SAMPLE = text(
    "SELECT latitude, longitude FROM facility TABLESAMPLE SYSTEM (1) REPEATABLE (7) LIMIT :count"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Times in milliseconds, pages of 8 KiB, places found."""

    p50: float
    p99: float
    pages: float
    scan_pages: float
    scan_p50: float
    found: float


def _literal(point: Point) -> str:
    statement = around(point, METRES, NearbyFilter()).limit(MOST_CANDIDATES)
    compiled = statement.compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    return str(compiled)


async def _explain(session: AsyncSession, point: Point) -> tuple[float, float]:
    """Pages touched, and milliseconds of execution."""
    statement = text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {_literal(point)}")
    answer: Any = (await session.execute(statement)).scalar_one()
    plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]
    blocks = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    return blocks, plan["Execution Time"]


async def measure(communities: int, places: int, queries: int) -> Measured:
    async with (
        country(communities=communities, facilities=places) as made,
        made.database.reading() as session,
    ):
        sampled = (await session.execute(_SAMPLE, {"count": queries})).all()
        points = [Point(row.latitude, row.longitude) for row in sampled]
        random.Random(7).shuffle(points)
        times, found = [], []
        for point in points:
            started = time.perf_counter()
            statement = around(point, METRES, NearbyFilter()).limit(MOST_CANDIDATES)
            rows = (await session.execute(statement)).all()
            times.append((time.perf_counter() - started) * 1000)
            found.append(len(rows))
        pages = [(await _explain(session, point))[0] for point in points[:PLANNED]]
        for kind in ("indexscan", "bitmapscan", "indexonlyscan"):
            await session.execute(text(f"SET LOCAL enable_{kind} = off"))
        scans = [await _explain(session, point) for point in points[:3]]
    return Measured(
        p50=median(times),
        p99=quantiles(times, n=100)[98],
        pages=mean(pages),
        scan_pages=mean(scanned for scanned, _ in scans),
        scan_p50=median(took for _, took in scans),
        found=mean(found),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", type=int, default=1_000_000)
    parser.add_argument("--communities", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=1000)
    given = parser.parse_args()
    figures: list[Figure] = []
    for places in (given.places // 10, given.places):
        found = asyncio.run(measure(given.communities, places, given.queries))
        figures += [
            Figure(f"{places:,} places: found in a circle", "", [found.found]),
            Figure(f"{places:,} places: p50", "ms", [found.p50]),
            Figure(f"{places:,} places: p99", "ms", [found.p99]),
            Figure(f"{places:,} places: pages", "pages", [found.pages]),
            Figure(
                f"{places:,} places: scan ÷ circle, pages", "", [found.scan_pages / found.pages]
            ),
            Figure(f"{places:,} places: scan ÷ circle, time", "", [found.scan_p50 / found.p50]),
        ]
    show(f"Nearby: circles of {METRES} m, {given.queries:,} queries", figures)


if __name__ == "__main__":
    main()
