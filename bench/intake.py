"""How many submissions one requests API process takes in, and what each costs in CPU.

`python -m bench.intake` starts a real PostgreSQL and one API process, sends full submissions
directly (token checked, idempotent, validated, encrypted, routed, due date, history, timer,
outbox) and prints submissions a second, times, and CPU per submission of the API and of
PostgreSQL. Beside it, in the same run, the same process answers its cheapest request.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import aiohttp

from contracts.envelope import Envelope
from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit.database import Database
from servicekit.identifiers import new_id
from services.requests.definition import SERVICE
from services.requests.reference.consumers import keep_division, keep_item
from services.requests.seed import seed
from tests.requests.factories import VILLAGE, make_division, make_item, make_request
from tests.support.service import DATA_KEY, INDEX_KEY, settings_for
from tests.support.tokens import resident, signing_key

ROOT = Path(__file__).parents[1]
TICKS = os.sysconf("SC_CLK_TCK")


class Jwks:
    """The gateway's key set, served for the process under test."""

    async def __aenter__(self) -> str:
        from aiohttp import web

        async def answer(_: web.Request) -> web.Response:
            return web.json_response({"keys": [signing_key().as_dict(private=False)]})

        app = web.Application()
        app.router.add_get("/", answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        port = pick_free_port()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        return f"http://127.0.0.1:{port}/"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children that still run."""
    total = 0.0
    for each in [pid, *children(pid)]:
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def children(pid: int) -> list[int]:
    listed = subprocess.run(
        ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return [int(line) for line in listed.split()]


async def load(
    send: Callable[[aiohttp.ClientSession], Awaitable[int]], *, seconds: float, clients: int
) -> tuple[float, list[float]]:
    """Send from `clients` connections for a time; return answers a second and each one's time."""
    times: list[float] = []
    deadline = time.perf_counter() + seconds

    async def client(session: aiohttp.ClientSession) -> None:
        while (started := time.perf_counter()) < deadline:
            status = await send(session)
            if status not in (200, 201):
                raise RuntimeError(f"answered {status}")
            times.append(time.perf_counter() - started)

    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(client(session) for _ in range(clients)))
    return len(times) / seconds, times


async def prepare(dsn: str) -> None:
    database = Database(settings_for(SERVICE.settings, dsn), application_name="bench")
    await seed(database, ROOT / "data")
    for handler, event in (
        (keep_division, make_division(VILLAGE, "中城社区")),
        (keep_item, make_item()),
    ):
        envelope = Envelope(new_id(), event.event_type, event.source, event.key, event.recorded_at)
        async with database.transaction() as session:
            await handler(session, event, envelope)
    await database.close()


async def measure(arguments: argparse.Namespace, server: PostgresServer) -> None:
    port, metrics = pick_free_port(), pick_free_port()
    dsn = server.dsn("requests", "requests", "bench")
    async with Jwks() as jwks_url:
        environment = os.environ | {
            "REQUESTS_ENVIRONMENT": "development",
            "REQUESTS_DATABASE_URL": dsn,
            "REQUESTS_JWKS_URL": jwks_url,
            "REQUESTS_HTTP_PORT": str(port),
            "REQUESTS_METRICS_PORT": str(metrics),
            "REQUESTS_DATA_KEYS": f'{{"test": "{DATA_KEY}"}}',
            "REQUESTS_DATA_KEY_ID": "test",
            "REQUESTS_BLIND_INDEX_KEY": INDEX_KEY,
        }
        migrate = [sys.executable, "-m", "services.requests", "migrate"]
        subprocess.run(migrate, env=environment, cwd=ROOT, check=True)
        await prepare(dsn)
        api = subprocess.Popen(
            [sys.executable, "-m", "services.requests", "api"], env=environment, cwd=ROOT
        )
        try:
            await rounds(arguments, f"http://127.0.0.1:{port}", api.pid, server)
        finally:
            api.terminate()
            api.wait()


async def rounds(
    arguments: argparse.Namespace, url: str, api_pid: int, server: PostgresServer
) -> None:
    people = [resident() for _ in range(64)]
    body = make_request()
    sent = 0

    async def submit(session: aiohttp.ClientSession) -> int:
        nonlocal sent
        sent += 1
        headers = people[sent % 64] | {"Idempotency-Key": str(uuid4())}
        async with session.post(f"{url}/v1/requests", json=body, headers=headers) as answer:
            await answer.read()
            return answer.status

    async def cheapest(session: aiohttp.ClientSession) -> int:
        async with session.get(f"{url}/livez") as answer:
            await answer.read()
            return answer.status

    await wait_for(url)
    await load(submit, seconds=2, clients=arguments.clients)
    rates, api_cpu, postgres_cpu, floors, p50s, p99s = [], [], [], [], [], []
    assert server.pid is not None
    for number in range(arguments.rounds):
        before = cpu_seconds(api_pid), cpu_seconds(server.pid)
        rate, times = await load(submit, seconds=arguments.seconds, clients=arguments.clients)
        after = cpu_seconds(api_pid), cpu_seconds(server.pid)
        floor, _ = await load(cheapest, seconds=arguments.seconds, clients=arguments.clients)
        rates.append(rate)
        floors.append(floor)
        api_cpu.append((after[0] - before[0]) / len(times) * 1e6)
        postgres_cpu.append((after[1] - before[1]) / len(times) * 1e6)
        cuts = statistics.quantiles(times, n=100)
        p50s.append(cuts[49] * 1000)
        p99s.append(cuts[98] * 1000)
        print(f"round {number + 1}: {rate:.0f}/s, p50 {p50s[-1]:.1f} ms, p99 {p99s[-1]:.1f} ms")
    ratios = [rate / floor for rate, floor in zip(rates, floors, strict=True)]
    print(f"\nsubmissions a second, one API process, {arguments.clients} connections")
    show("rate (1/s)", rates)
    show("p50 (ms)", p50s)
    show("p99 (ms)", p99s)
    show("CPU of the API (µs each)", api_cpu)
    show("CPU of PostgreSQL (µs each)", postgres_cpu)
    show("rate ÷ rate of GET /livez", ratios)


def show(name: str, values: list[float]) -> None:
    print(
        f"  {name:<28} median {statistics.median(values):>8.2f}"
        f"   [{min(values):.2f} – {max(values):.2f}]"
    )


async def wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f"{url} did not become ready")
            await asyncio.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--clients", type=int, default=32)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        server = PostgresServer(Path(directory) / "postgres", pick_free_port())
        server.start()
        try:
            server.create_database("requests", "requests", "bench")
            asyncio.run(measure(arguments, server))
        finally:
            server.remove()


if __name__ == "__main__":
    main()
