"""How long `make run` takes to be up, and the memory of every process: `python -m bench.startup`.

Each round removes the state and runs what `make run` runs (the packages are installed), to the line
that says that everything is up and on through the guided case; then once more with the state there.
Then the same stack is looked at: resident memory (RSS: with what it shares; USS: without) of every
process, idle and after submissions through the gateway, searches, lists and all their events.
"""

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import asyncpg
import orjson

from bench.client import Make, request, send
from bench.harness import ROOT, Figures, family, memory_of, scratch, show
from devstack.layout import SERVICES
from devstack.ports import Ports, pick_free_ports
from devstack.stack import Stack
from tests.faults.citizens import VILLAGE, Citizens, body
from tests.support.tokens import bearer

MEGABYTE = 1e6
LIMIT = "<= 150"
UP, GUIDED = "everything is up after", "stopping"
RUN_SECONDS = 600.0
DRAIN_SECONDS = 180.0
RATES = json.dumps(dict.fromkeys(("read", "write", "verification"), "1000000/1000000"))
PEOPLE = 256


def run(directory: Path, ports: Ports) -> tuple[float, float]:
    """Seconds until everything is up, and until the guided case is through.

    Raises:
        RuntimeError: it ended before, or took too long.
    """
    command = [sys.executable, "-m", "devstack", "demo", f"--directory={directory}"]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, f"--port-offset={ports.offset}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    up = guided = 0.0
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if UP in line:
                up = time.perf_counter() - started
            elif GUIDED in line and up:
                guided = time.perf_counter() - started
            if time.perf_counter() - started > RUN_SECONDS:
                break
    finally:
        process.terminate()
        process.wait()
    if not guided or process.returncode:
        raise RuntimeError("the stack did not come up:\n" + "".join(said[-30:]))
    return up, guided


async def look(directory: Path, arguments: argparse.Namespace, figures: Figures) -> None:
    """Memory of every process of a warm stack, idle and after load."""
    overrides = {"gateway": {"RATE_LIMITS": RATES}}
    async with Stack(directory, pick_free_ports(), log_level="error", overrides=overrides) as stack:
        await asyncio.sleep(arguments.idle)
        note(stack, figures, "idle")
        await load(stack, arguments.seconds)
        await drained(stack)
        await asyncio.sleep(arguments.idle)
        note(stack, figures, "after load")


def note(stack: Stack, figures: Figures, when: str) -> None:
    """Take the memory of every process as it is now."""
    postgres, kafka = stack.postgres.pid, stack.broker.pid
    most = 0.0
    for name in stack.supervisor.names:
        pid = stack.supervisor.pid(name)
        assert pid is not None, f"{name} does not run"
        memory = memory_of(pid)
        most = max(most, memory.rss / MEGABYTE)
        figures.add(f"{name}, {when}: RSS", "MB", memory.rss / MEGABYTE, LIMIT)
        figures.add(f"{name}, {when}: USS", "MB", memory.uss / MEGABYTE)
    figures.add(f"the largest of our processes, {when}: RSS", "MB", most, LIMIT)
    ours = [stack.supervisor.pid(name) for name in stack.supervisor.names]
    for name, pids in (
        ("all our processes", ours),
        ("PostgreSQL, all its processes", family(postgres) if postgres else []),
        ("Kafka", [kafka] if kafka else []),
    ):
        if pids:
            shared = sum(memory_of(pid).pss for pid in pids if pid is not None)
            figures.add(f"{name}, {when}: PSS", "MB", shared / MEGABYTE)


async def load(stack: Stack, seconds: float) -> None:
    """Submissions, then what people and staff read, through the gateway."""
    citizens = Citizens(stack)
    await citizens.wait_until_intake_knows_the_item()
    content = orjson.dumps(body())
    people = [citizens.headers(uuid4()) for _ in range(PEOPLE)]
    staff = bearer("handler", unit="140802000000:civil-affairs", key=citizens.key)
    await citizens.close()
    heads = itertools.cycle(people)

    def submit() -> bytes:
        headers = next(heads) | {"Idempotency-Key": str(uuid4())}
        return request("POST", "/v1/requests", headers, content)

    def get(path: str, headers: dict[str, str]) -> Make:
        made = request("GET", path, headers)
        return lambda: made

    port = stack.ports.http("gateway")
    await send(port, submit, seconds=seconds, clients=32, want=201)
    for path, headers in (
        # "养老"; with a token, so that the service answers and not the gateway's memory.
        (f"/v1/search?q=%E5%85%BB%E8%80%81&division={VILLAGE}", people[0]),
        ("/v1/requests", people[1]),
        ("/v1/cases", staff),
        ("/v1/facilities/nearby?latitude=35.02&longitude=110.99&radius_metres=5000", people[2]),
        ("/v1/notices", people[3]),
        ("/v1/scores?kind=item", staff),
    ):
        await send(port, get(path, headers), seconds=seconds / 4, clients=16)


async def drained(stack: Stack) -> None:
    """Wait until every outbox is empty.

    Raises:
        TimeoutError: one was not in time.
    """
    deadline = time.monotonic() + DRAIN_SECONDS
    for name in SERVICES:
        connection = await asyncpg.connect(stack.around.database_url[name])
        try:
            while await connection.fetchval("SELECT count(*) FROM outbox_message"):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the outbox of {name} did not become empty")
                await asyncio.sleep(0.2)
        finally:
            await connection.close()


def measure(arguments: argparse.Namespace) -> Figures:
    figures = Figures()
    for _ in range(arguments.rounds):
        with scratch() as directory:
            ports = pick_free_ports()
            for state, mark in (("cold", ""), ("warm", "<= 20")):
                up, guided = run(directory, ports)
                figures.add(f"{state}: until everything is up", "s", up, mark)
                figures.add(f"{state}: until the guided case is through", "s", guided)
            asyncio.run(look(directory, arguments, figures))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8, help="of submissions")
    parser.add_argument("--idle", type=float, default=5, help="seconds before memory is looked at")
    arguments = parser.parse_args()
    os.environ.pop("KAFKA_BOOTSTRAP_SERVERS", None)  # a broker of its own, started each time
    show("Start-up and memory", list(measure(arguments).values()))


if __name__ == "__main__":
    main()
