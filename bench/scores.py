"""What scores cost as ratings grow: `python -m bench.scores --ratings 100000 1000000 10000000`.

Fills databases with ratings (`bench.ratings`), and reads what a dashboard reads: from the roll-ups,
and by the GROUP BY over the facts that they replace. Told are pages touched (EXPLAIN BUFFERS),
milliseconds and their growth; exports with the memory they take; a recount from its beginning to its
end, with the longest wait of ratings that go on meanwhile.

With `--at DIRECTORY` the databases stay there and are found again: then it takes minutes. Ten million
ratings want some 16 GB of disk and, to fill, an hour and more.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from bench import ratings, recounts
from bench.harness import Figure, resident_bytes, scratch, show
from contracts.values import DivisionLevel
from servicekit.database import Database
from servicekit.sheets import SheetFormat
from services.evaluation.models import SubjectKind
from services.evaluation.scores import exports, publishing, repository
from services.evaluation.scores.exports import Selection
from services.evaluation.scores.repository import Peers, Period, Subject
from services.evaluation.scores.rules import Grain
from services.evaluation.settings import EvaluationSettings
from tests.support.service import settings_for

CITY, COUNTY, UNIT = "1408", "140801000000", "140801000000:unit-a"
VILLAGES = Peers(SubjectKind.division, DivisionLevel.community, "140801")
UNITS = Peers(SubjectKind.unit, None, CITY)
JUNE = Period(Grain.month, date(2025, 6, 1))
YEAR = date(2025, 1, 1), date(2025, 12, 31)
CALLS = 15
MARK = ">= 30"
_GOOD = (
    "count(*) FILTER (WHERE current_level IN ('very-satisfied', 'satisfied', 'fairly-satisfied'))"
)
_OF_JUNE = "rated_on BETWEEN '2025-06-01' AND '2025-06-30'"
Ask = Callable[[AsyncSession], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """What a dashboard asks, and the query over the facts that would answer it."""

    name: str
    ask: Ask
    grouped: str = ""


def _rank(peers: Peers, period: Period, after: tuple[float, str] | None = None) -> Ask:
    return lambda session: repository.rank(session, peers, period, after=after, limit=20)


def _series(subject: Subject, grain: Grain) -> Ask:
    return lambda session: repository.series(session, subject, grain, *YEAR)


def _stand(subject: Subject, peers: Peers, period: Period) -> Ask:
    return lambda session: repository.standing(session, subject, peers, period)


async def _table(session: AsyncSession) -> None:
    """What a published table is made of, with what has to be withheld."""
    assert JUNE.day is not None
    tallies = await publishing._tallies(session, COUNTY, Grain.month, JUNE.day)
    publishing._hidden(COUNTY, tallies, [], 5)


def questions() -> list[Question]:
    """Keyed or paged, all of them."""
    by_village = f"SELECT division_code, count(*), {_GOOD} FROM score_fact WHERE division_code LIKE '140801%'"
    by_unit = f"SELECT unit_code, count(*), {_GOOD} FROM score_fact"
    county = Subject(SubjectKind.division, COUNTY)
    village = Subject(SubjectKind.division, "140801001001")
    unit = Subject(SubjectKind.unit, UNIT)
    deep = (0.9, "140801005000")
    return [
        Question("villages of a county in a month, best first", _rank(VILLAGES, JUNE),
                 f"{by_village} AND {_OF_JUNE} GROUP BY 1 ORDER BY 3 DESC LIMIT 20"),
        Question("the same, a page further down", _rank(VILLAGES, JUNE, deep),
                 f"{by_village} AND {_OF_JUNE} GROUP BY 1 ORDER BY 3 DESC OFFSET 100 LIMIT 20"),
        Question("units of a city over all time", _rank(UNITS, Period()),
                 f"{by_unit} GROUP BY 1 ORDER BY 3 DESC LIMIT 20"),
        Question("one unit over all time", lambda s: repository.find(s, unit),
                 f"{by_unit} WHERE unit_code = '{UNIT}' GROUP BY 1"),
        Question("a county month by month", _series(county, Grain.month),
                 f"SELECT date_trunc('month', rated_on), count(*), {_GOOD} FROM score_fact "
                 "WHERE division_code LIKE '140801%' GROUP BY 1"),
        Question("a county day by day", _series(county, Grain.day),
                 f"SELECT rated_on, count(*), {_GOOD} FROM score_fact "
                 "WHERE division_code LIKE '140801%' GROUP BY 1"),
        Question("a unit's place among those of the city", _stand(unit, UNITS, Period()),
                 f"{by_unit} GROUP BY 1"),
        Question("a village's place in its county in a month", _stand(village, VILLAGES, JUNE),
                 f"{by_village} AND {_OF_JUNE} GROUP BY 1"),
        Question("a county's table to be published", _table,
                 f"{by_village} AND {_OF_JUNE} GROUP BY ROLLUP (left(division_code, 9), 1)"),
    ]  # fmt: skip


async def pages_of(database: Database, ask: Ask) -> float:
    """Pages touched by every statement of a question."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    async with database.reading() as session:
        await ask(session)
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)
    connection = await database.connect()
    pages = sum([(await explain(connection, *each))[0] for each in seen])
    await connection.close()
    return pages


async def explain(connection: Any, query: str, parameters: Any = ()) -> tuple[float, float]:
    """Pages touched and milliseconds of one statement."""
    plan = orjson.loads(
        await connection.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", *parameters, timeout=600
        )
    )[0]
    root = plan["Plan"]
    return float(root["Shared Hit Blocks"] + root["Shared Read Blocks"]), plan["Execution Time"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one question at one size."""

    pages: float
    milliseconds: float


async def read(database: Database, before: dict[str, Cost], mark: str) -> list[Figure]:
    """Every question both ways, and how it grew since the smallest size.

    The mark is what the GROUP BY has to take more of time.
    """
    figures: list[Figure] = []
    connection = await database.connect()
    for question in questions():
        times = []
        async with database.reading() as session:
            for _ in range(CALLS):
                started = time.perf_counter()
                await question.ask(session)
                times.append((time.perf_counter() - started) * 1000)
        pages = await pages_of(database, question.ask)
        await explain(connection, question.grouped)
        grouped_pages, grouped_ms = await explain(connection, question.grouped)
        name = question.name
        figures += [
            Figure(name, "ms", times),
            Figure("    pages", "", [pages]),
            Figure("    GROUP BY takes", "times", [grouped_ms / median(times)], mark),
            Figure("    GROUP BY touches", "times", [grouped_pages / max(pages, 1)]),
        ]
        if name in before:
            was = before[name]
            figures += [
                Figure("    pages since the smallest", "times", [pages / was.pages], "<= 1.3"),
                Figure("    time since", "times", [median(times) / was.milliseconds], "<= 3"),
            ]
        before.setdefault(name, Cost(pages, median(times)))
    await connection.close()
    return figures


async def export(database: Database) -> list[Figure]:
    """Sheets as they are sent: rows and memory above what the process had."""
    figures = []
    county = Peers(SubjectKind.division, None, "140801")
    for name, sheet_format, chosen in (
        ("a county by day, CSV", SheetFormat.csv, Selection(county, Grain.day, *YEAR)),
        ("people by month, CSV", SheetFormat.csv,
         Selection(Peers(SubjectKind.person, None, CITY), Grain.month, *YEAR)),
        ("a county by month, XLSX", SheetFormat.xlsx, Selection(county, Grain.month, *YEAR)),
    ):  # fmt: skip
        own, peak, size, first = resident_bytes(os.getpid()), 0, 0, 0.0
        started = time.perf_counter()
        sheet = exports.export(database, sheet_format, chosen)
        async for piece in _pieces(sheet):
            first = first or time.perf_counter() - started
            size += len(piece)
            peak = max(peak, resident_bytes(os.getpid()))
        seconds = time.perf_counter() - started
        figures += [
            Figure(f"export: {name}", "s", [seconds]),
            Figure("    size", "MB", [size / 1e6]),
            Figure("    first bytes after", "s", [first]),
            Figure("    memory at the peak, above before", "MB", [(peak - own) / 1e6], "<= 50"),
        ]
    return figures


async def _pieces(sheet: Any) -> Any:
    if hasattr(sheet, "__aiter__"):
        async for piece in sheet:
            yield piece
        return
    while (piece := await asyncio.to_thread(next, sheet, None)) is not None:
        yield piece


async def measure(dsn: str, before: dict[str, Cost], mark: str = "") -> list[Figure]:
    """Everything at one size."""
    settings = settings_for(EvaluationSettings, dsn)
    database = Database(settings, application_name="bench")
    figures = []
    async with database.reading() as session:
        for name, query in (
            ("ratings", "SELECT count(*) FROM rating"),
            ("rows by day", "SELECT count(*) FROM score_day"),
            ("rows by month", "SELECT count(*) FROM score_month"),
            ("database", "SELECT pg_database_size(current_database()) / 1000000"),
        ):
            count = (await session.execute(text(query))).scalar_one()
            figures.append(Figure(name, "MB" if name == "database" else "", [float(count)]))
    figures += await read(database, before, mark)
    figures += await export(database)
    figures += await recounts.recount(database)
    await database.close()
    return figures


async def run(directory: Path, sizes: list[int]) -> None:
    before: dict[str, Cost] = {}
    with ratings.server_at(directory) as server:
        for size in sizes:
            dsn = await ratings.prepare(server, size)
            mark = MARK if size == max(sizes) else ""
            show(f"Scores of {size:,} ratings", await measure(dsn, before, mark))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--at", type=Path, help="a directory in which the databases stay")
    arguments = parser.parse_args()
    with scratch() as directory:
        asyncio.run(run(arguments.at or directory, arguments.ratings))


if __name__ == "__main__":
    main()
