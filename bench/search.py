"""Searching 100 000 generated items in one replica: `python -m bench.search`.

Two parts. Inside: milliseconds of each kind of query without HTTP, everywhere, for a village, and
with two filters. Over HTTP: one API process on a real PostgreSQL is asked by many connections for
the searches a second it answers, then at half that rate for the times; beside it, in the same run,
the same process gives its cheapest answer. Nothing is answered from a cache.
"""

import argparse
import asyncio
import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from bench.client import Make, request, send
from bench.harness import Figure, cpu_seconds, percentile, resident_bytes, running, show, wait_for
from bench.search_items import ACTIONS, AREAS, VILLAGE, generate, store
from contracts.values import Channel
from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit.migrations import upgrade
from services.catalogue.divisions import division_chain
from services.catalogue.search.documents import EVERYWHERE, Document, Scope, flags_of
from services.catalogue.search.queries import Query
from services.catalogue.search.snapshot import Snapshot
from services.catalogue.vocabulary import Audience
from services.catalogue.words import spell

#: A slow machine takes its time to read and index all items.
WARM_SECONDS = 600.0
#: How often each kind is typed, of a hundred searches. Ours.
SHARES = {
    "one character": 3,
    "two characters": 32,
    "three characters": 15,
    "four characters": 15,
    "two words": 10,
    "pinyin": 8,
    "initials": 7,
    "nothing alike": 5,
    "one wrong character": 5,
}


def queries(dice: random.Random, documents: list[Document]) -> Iterator[tuple[str, str]]:
    """What people type, by kind."""
    name = dice.choice(documents).name
    at = dice.randrange(len(name) - 4)
    yield "one character", name[at]
    yield "two characters", name[at : at + 2]
    yield "three characters", name[at : at + 3]
    yield "four characters", name[at : at + 4]
    yield "two words", f"{dice.choice(AREAS)}{dice.choice(ACTIONS)}"
    yield "pinyin", spell(name[at : at + 2]).lower()
    yield "initials", "".join(spell(each)[0] for each in name[at : at + 3]).lower()
    yield "nothing alike", "潜水艇驾驶"
    yield "one wrong character", name[at : at + 2] + "錯" + name[at + 3 : at + 5]


def typed(documents: list[Document]) -> dict[str, list[str]]:
    """A hundred queries of each kind."""
    dice, found = random.Random(1), dict[str, list[str]]()
    for _ in range(100):
        for kind, text in queries(dice, documents):
            found.setdefault(kind, []).append(text)
    return found


def timed(search: Callable[[str], object], texts: list[str], seconds: float) -> list[float]:
    """Milliseconds of each search."""
    times, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        for each in texts:
            started = time.perf_counter()
            search(each)
            times.append((time.perf_counter() - started) * 1000)
    return times


def search(snapshot: Snapshot, scope: Scope, text: str) -> None:
    snapshot.search(Query.parse(text), scope=scope, limit=20)


def inside(documents: list[Document], seconds: float) -> list[Figure]:
    """Every kind of query without HTTP."""
    started = time.perf_counter()
    snapshot = Snapshot.build(documents, revision=1, weight_of=lambda item_id: item_id.int % 97)
    figures = [Figure("index built", "s", [time.perf_counter() - started])]
    village = Scope(frozenset(division_chain(VILLAGE)))
    portal = Scope(village.divisions, flags_of([Channel.portal, Audience.elderly]))
    scopes = {"everywhere": EVERYWHERE, "village": village, "village + 2 filters": portal}
    for kind, texts in typed(documents).items():
        for name, scope in scopes.items():
            times = timed(partial(search, snapshot, scope), texts, seconds)
            figures.append(Figure(f"{kind}, {name}: p50", "ms", [median(times)]))
            mark = "<= 1" if kind == "two characters" else ""
            figures.append(Figure(f"{kind}, {name}: p99", "ms", [percentile(times, 99)], mark))
    return figures


def requests_of(documents: list[Document]) -> Make:
    """Searches as they come: each kind by its share, for a village, some with a filter."""
    dice, kinds = random.Random(2), typed(documents)
    made = []
    for n in range(2_000):
        [kind] = dice.choices(list(SHARES), weights=list(SHARES.values()))
        params = {"q": dice.choice(kinds[kind]), "division": VILLAGE}
        if n % 4 == 0:
            params["channel"] = "portal"
        made.append(request("GET", f"/v1/search?{urlencode(params)}", {}))
    heads = itertools.cycle(made)
    return lambda: next(heads)


async def over_http(documents: list[Document], seconds: float, rounds: int) -> list[Figure]:
    """One replica under load."""
    with tempfile.TemporaryDirectory() as directory:
        server = PostgresServer(Path(directory) / "postgres", pick_free_port(), fast=True)
        await asyncio.to_thread(server.start)
        try:
            server.create_database("catalogue", "catalogue", "bench")
            dsn = server.dsn("catalogue", "catalogue", "bench")
            url = dsn.replace("postgresql://", "postgresql+asyncpg://")
            await asyncio.to_thread(upgrade, "services.catalogue.migrations", url)
            await store(dsn, documents)
            return await replica(dsn, requests_of(documents), seconds, rounds)
        finally:
            server.remove()


async def replica(dsn: str, searches: Make, seconds: float, rounds: int) -> list[Figure]:
    """Start the API process, ask it, and note what it gives and costs."""
    port = pick_free_port()
    settings = {
        "ENVIRONMENT": "development", "DATABASE_URL": dsn, "JWKS_URL": "http://127.0.0.1:9/unused",
        "HTTP_PORT": str(port), "METRICS_PORT": str(pick_free_port()), "LOG_LEVEL": "error",
    }  # fmt: skip
    environment = os.environ | {f"CATALOGUE_{name}": value for name, value in settings.items()}
    figures: dict[str, Figure] = {}

    def note(name: str, unit: str, value: float) -> None:
        figures.setdefault(name, Figure(name, unit)).values.append(value)

    cheapest = request("GET", "/livez", {})
    started = time.perf_counter()
    with running([sys.executable, "-m", "services.catalogue", "api"], environment) as process:
        await wait_for(f"http://127.0.0.1:{port}/readyz", seconds=WARM_SECONDS)
        note("from the start to a warm index", "s", time.perf_counter() - started)
        await send(port, searches, seconds=1, clients=16)
        for _ in range(rounds):
            before = cpu_seconds(process.pid)
            load = await send(port, searches, seconds=seconds, clients=16)
            cost = (cpu_seconds(process.pid) - before) / len(load.times)
            bare = await send(port, lambda: cheapest, seconds=seconds / 2, clients=16)
            calm = await send(port, searches, seconds=seconds, clients=16, rate=load.rate / 2)
            note("searches", "1/s", load.rate)
            note("CPU of a search", "µs", cost * 1e6)
            note("searches ÷ cheapest answers", "", load.rate / bare.rate)
            note("p50 at half the rate", "ms", percentile(calm.times, 50) * 1000)
            note("p99 at half the rate", "ms", percentile(calm.times, 99) * 1000)
        note("memory of the process", "MiB", resident_bytes(process.pid) / 2**20)
    return list(figures.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", choices=["inside", "http", "both"], default="both")
    arguments = parser.parse_args()
    documents = generate(arguments.items)
    if arguments.part != "inside":
        figures = asyncio.run(over_http(documents, arguments.seconds, arguments.rounds))
        show(f"Search over HTTP: {arguments.items} items, one replica, 16 connections", figures)
    if arguments.part != "http":
        title = f"Search inside: {arguments.items} items, top 20"
        show(title, inside(documents, arguments.seconds / 4))


if __name__ == "__main__":
    main()
