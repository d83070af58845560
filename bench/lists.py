"""How reads of cases grow with the cases: `python -m bench.lists`.

Starts a real PostgreSQL, builds a database of each size (see `bench.cases`), and asks what people and
the worker ask: a unit's list, a county's, a deep page, the red ones, a resident's own requests, a
person by identity number, a request by number, a case with its history, the changes, the counts, and
what is due. Every question is put to all sizes in turn, round by round, so that a busy moment hits
them alike. Prints milliseconds and pages at the median of many people, at every size, and how the
largest stands to the smallest.

What is due next touches a handful of pages, so that one more shows as a fifth: the levels of its index
(two up to some 300 thousand timers, three beyond), the row's page for reading and again for the lock,
and its visibility map where that says the page is all visible. Nothing but the depth of the index grows.

`--sizes 100000 1000000 10000000` for all three, which needs 20 GB of disk; with `--keep DIRECTORY`
the databases stay there and the next run asks at once.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.cases import COUNTY, UNIT, Built, build, is_built, prepare
from bench.harness import Figure, show
from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit.auth import Caller
from servicekit.database import Database
from servicekit.migrations import upgrade
from servicekit.timers import NEXT
from services.requests.cases import repository as cases
from services.requests.changes import repository as changes
from services.requests.definition import SERVICE
from services.requests.people.repository import list_of_person
from services.requests.submissions.repository import find_by_number, list_of_account
from services.requests.worklists import repository as lists
from services.requests.worklists.schemas import WorkListFilter
from services.requests.worklists.service import list_work
from tests.support.service import settings_for

HANDLER = Caller(UUID(int=1), "staff", frozenset({"handler"}), "", 0, COUNTY, None, UNIT)
SUPERVISOR = Caller(UUID(int=2), "staff", frozenset({"supervisor"}), "", 0, COUNTY)
#: Cases asked for in each round, rounds, and how many of them have their pages counted.
CALLS, ROUNDS, COUNTED = 40, 5, 15
PAGES_MARK, TIME_MARK = "<= 1.3", "<= 3"

Question = Callable[[AsyncSession, dict[str, Any]], Awaitable[Any]]


def questions() -> dict[str, Question]:
    """What is asked; the samples hold real ids and a place deep in the list."""
    nothing, red = WorkListFilter(), WorkListFilter.model_validate({"light": "red"})

    async def page(session: AsyncSession, chosen: WorkListFilter, who: Caller, after: Any) -> Any:
        return await list_work(session, chosen, caller=who, after=after, limit=20)

    async def person(session: AsyncSession, at: dict[str, Any]) -> Any:
        return await list_of_person(
            session, by_mobile=False, of_applicant=at["identity"], of_party=b"", limit=21,
            division_code=COUNTY[:4] + "0" * 8, unit_code=None,
        )  # fmt: skip

    return {
        "a unit's list": lambda s, _: page(s, nothing, HANDLER, None),
        "a unit's red cases": lambda s, _: page(s, red, HANDLER, None),
        "a county's list": lambda s, _: page(s, nothing, SUPERVISOR, None),
        "a county's red cases": lambda s, _: page(s, red, SUPERVISOR, None),
        "a county's list, deep": lambda s, at: page(s, nothing, SUPERVISOR, at["deep"]),
        "my requests": lambda s, at: list_of_account(s, at["applicant"], after=None, limit=20),
        "a person by identity number": person,
        "a request by number": lambda s, at: find_by_number(s, at["number"]),
        "a case": lambda s, at: cases.find_case(s, at["case"]),
        "its history": lambda s, at: cases.list_history(s, at["case"]),
        "its request's progress": lambda s, at: changes.list_of_request(
            s, at["request"], changes.START, 1000
        ),
        "the next 1 000 changes": lambda s, at: changes.list_changes(s, at["place"], 1000),
        "counts of a unit": lambda s, _: lists.count_of_unit(s, UNIT),
        "counts of a county": lambda s, _: lists.count_within(s, COUNTY),
        "what is due next": lambda s, _: s.execute(NEXT),
    }


@dataclass
class Asked:
    """One size, and what its questions cost."""

    built: Built
    database: Database
    samples: list[dict[str, Any]] = field(default_factory=list)
    #: Question → the median of each round, milliseconds.
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    pages: dict[str, float] = field(default_factory=dict)

    def samples_of(self, number: int) -> list[dict[str, Any]]:
        return [self.samples[(number * CALLS + n) % len(self.samples)] for n in range(CALLS)]


_PEOPLE = """
SELECT r.id AS request, r.number, r.applicant_id AS applicant, r.identity_index AS identity, c.id AS "case"
FROM service_case c TABLESAMPLE SYSTEM ({percent}) JOIN citizen_request r ON r.id = c.request_id
"""


async def sample(asked: Asked) -> None:
    """Draw cases and people at random, from all over the table."""
    percent = min(100.0, 500.0 * CALLS * ROUNDS / asked.built.cases)
    async with asked.database.reading() as session:
        rows = (await session.execute(text(_PEOPLE.format(percent=percent)))).mappings().all()
        today = (await session.execute(text("SELECT current_date"))).scalar_one()
        last = (
            await session.execute(text("SELECT max(recorded_in) FROM case_history"))
        ).scalar_one()
    drawn = random.Random(7).sample(list(rows), min(len(rows), CALLS * ROUNDS))
    deep, place = (today + timedelta(days=15), UUID(int=0)), (last // 2, UUID(int=0), 0)
    asked.samples = [{**row, "deep": deep, "place": place} for row in drawn]


async def ask(asked: Asked, name: str, question: Question, number: int) -> None:
    """One question to one size, of many people."""
    times = []
    async with asked.database.transaction() as session:  # what is due is taken with a lock
        for at in asked.samples_of(number):
            started = time.perf_counter()
            await question(session, at)
            times.append((time.perf_counter() - started) * 1000)
    asked.milliseconds.setdefault(name, []).append(median(times))


async def count_pages(asked: Asked, name: str, question: Question) -> None:
    """Shared pages that a question touches, by EXPLAIN of every statement it makes."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    engine = asked.database.engine.sync_engine
    connection = await asked.database.connect()
    counts = []
    for at in asked.samples[:COUNTED]:
        seen.clear()
        event.listen(engine, "before_cursor_execute", note)
        async with asked.database.transaction() as session:
            await question(session, at)
        event.remove(engine, "before_cursor_execute", note)
        counts.append(sum([await _pages_of(connection, *each) for each in seen]))
    await connection.close()
    asked.pages[name] = median(counts)


async def _pages_of(
    connection: "asyncpg.Connection[asyncpg.Record]", statement: str, parameters: Any
) -> int:
    if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
        return 0
    plan = await connection.fetchval(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *parameters
    )
    root = orjson.loads(plan)[0]["Plan"]
    return int(root["Shared Hit Blocks"] + root["Shared Read Blocks"])


async def measure(sizes: list[Asked]) -> None:
    """Put every question to every size, round by round, after all of them once: none is from disk."""
    for asked in sizes:
        await sample(asked)
        for name, question in questions().items():
            for number in range(ROUNDS):
                await ask(asked, name, question, number)
            await count_pages(asked, name, question)
        asked.milliseconds.clear()
    for number in range(ROUNDS):
        for name, question in questions().items():
            for asked in sizes:
                await ask(asked, name, question, number)


def report(sizes: list[Asked]) -> None:
    """Print what it cost, and how the largest stands to the smallest."""
    smallest, largest = sizes[0], sizes[-1]
    for asked in sizes:
        print(f"\n{asked.built.cases:,} cases")
        for name, milliseconds in asked.milliseconds.items():
            print(f"  {name:<30}{median(milliseconds):8.2f} ms{asked.pages[name]:8.0f} pages")
    figures = []
    for name, before in smallest.milliseconds.items():
        after, growth = largest.milliseconds[name], Figure(f"{name}: time", "×", mark=TIME_MARK)
        growth.values = [b / a for a, b in zip(before, after, strict=True)]
        pages = largest.pages[name] / smallest.pages[name]
        figures += [Figure(f"{name}: pages", "×", [pages], PAGES_MARK), growth]
    show(f"Reads of cases, {largest.built.cases:,} against {smallest.built.cases:,}", figures)


async def _analyse(dsn: str) -> None:
    """Statistics that a migration has added since a database was built are of use only then."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("ANALYZE service_case")
    await connection.close()


async def run(directory: Path, sizes: list[int], *, keep: bool) -> None:
    server = PostgresServer(directory / "postgres", pick_free_port(), fast=True)
    is_new = server.is_new
    server.start()
    opened: list[Asked] = []
    try:
        if is_new:
            await prepare(server)
        for size in sorted(sizes):
            built = Built(size)
            if not await is_built(server, built):
                await build(server, built)
            dsn = built.dsn(server)
            url = dsn.replace("postgresql://", "postgresql+asyncpg://")
            await asyncio.to_thread(upgrade, SERVICE.migrations, url)
            await _analyse(dsn)
            database = Database(settings_for(SERVICE.settings, dsn), application_name="bench")
            opened.append(Asked(built, database))
        await measure(opened)
        report(opened)
    finally:
        for asked in opened:
            await asked.database.close()
        if keep:
            server.stop()
        else:
            server.remove()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="build once, ask often")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        where = arguments.keep or Path(directory)
        asyncio.run(run(where, arguments.sizes, keep=arguments.keep is not None))


if __name__ == "__main__":
    main()
