"""How much intake takes in, against PostgreSQL's own load generator and the bare framework.

`python -m bench.intake` starts a stack and stops all of it but one API process of requests, the
gateway and PostgreSQL. Full submissions (token checked, idempotent, validated, encrypted, routed,
promised, with history, timers and outbox) go in directly and through the gateway; pgbench does
the same writes from as many connections; FastAPI answers 201 without work. All take turns in one
run. Before that everything runs beside intake, with Kafka and with Kafka stopped, to show that it goes
on. With `--kafka` Kafka and the workers run beside all of it.
"""

import argparse
import asyncio
import itertools
import json
import os
import sys
from uuid import uuid4

import asyncpg
import orjson

from bench import pgbench
from bench.client import Load, Make, request, send
from bench.harness import Figure, Figures, cpu_seconds, percentile, running, scratch, show
from devstack.ports import pick_free_port, pick_free_ports
from devstack.stack import Stack
from tests.faults.citizens import Citizens, body

PEOPLE = 64
RATES = json.dumps(dict.fromkeys(("read", "write", "verification"), "1000000/1000000"))
OTHERS = [
    *(f"{name}.api" for name in ("catalogue", "facilities", "evaluation", "exchange")),
    *(f"{name}.worker" for name in ("catalogue", "requests", "facilities", "evaluation", "exchange")),
]  # fmt: skip


class Bench:
    """One stack and the ways of writing into it."""

    def __init__(self, stack: Stack, arguments: argparse.Namespace) -> None:
        self.stack, self.arguments = stack, arguments
        self.figures = Figures()
        self.api = stack.ports.http("requests")
        self.gateway = stack.ports.http("gateway")
        self._runs = itertools.count(1)

    async def prepare(self) -> None:
        """Know the item, make everybody's request, take the sample for pgbench."""
        citizens = Citizens(self.stack)
        await citizens.wait_until_intake_knows_the_item()
        content = orjson.dumps(body())
        people = [citizens.headers(uuid4()) for _ in range(PEOPLE)]
        await citizens.close()
        heads = itertools.cycle(people)

        def make() -> bytes:
            headers = next(heads) | {"Idempotency-Key": str(uuid4())}
            return request("POST", "/v1/requests", headers, content)

        self.submit: Make = make
        # What else belongs to the first use of a process: number blocks, statements, tokens.
        for port in (self.api, self.gateway):
            await send(port, make, seconds=2, clients=self.arguments.clients, want=201)
        await self._sample(make)

    async def _sample(self, make: Make) -> None:
        dsn = self.stack.around.database_url["requests"]
        _, there = await pgbench.take_sample(dsn, set())
        await self._once(make)
        first, there = await pgbench.take_sample(dsn, there)
        await self._once(make)
        second, _ = await pgbench.take_sample(dsn, there)
        transaction, single = await pgbench.scripts(dsn, first, second)
        admin = await asyncpg.connect(self.stack.postgres.superuser_dsn)
        try:
            await admin.execute("ALTER DATABASE requests ALLOW_CONNECTIONS false")
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'requests'"
            )
            await admin.execute("CREATE DATABASE pgbench TEMPLATE requests OWNER requests")
        finally:
            await admin.execute("ALTER DATABASE requests ALLOW_CONNECTIONS true")
            await admin.close()
        self.pgbench_dsn = dsn.rpartition("/")[0] + "/pgbench"
        self.scripts = {}
        for name, text in (("transaction", transaction), ("single", single)):
            path = self.stack.directory / f"{name}.sql"
            path.write_text(text)
            self.scripts[name] = path

    async def _once(self, make: Make) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.api)
        writer.write(make())
        status = await reader.readline()
        writer.close()
        if b" 201 " not in status:
            raise RuntimeError(f"a submission answered {status!r}")

    async def over_http(self, name: str, port: int, *pids: int | None) -> Load:
        """Send submissions; note the rate and what each cost."""
        postgres = self.stack.postgres.pid
        assert postgres is not None
        own = [pid for pid in pids if pid is not None]
        before = cpu_seconds(*own), cpu_seconds(postgres)
        load = await send(
            port,
            self.submit,
            seconds=self.arguments.seconds,
            clients=self.arguments.clients,
            want=201,
        )
        after = cpu_seconds(*own), cpu_seconds(postgres)
        self.figures.add(f"{name}: submissions", "1/s", load.rate)
        self.figures.add(f"{name}: p50", "ms", percentile(load.times, 50) * 1000)
        if own:
            each = 1e6 / len(load.times)
            self.figures.add(f"{name}: CPU of the process", "µs", (after[0] - before[0]) * each)
            self.figures.add(f"{name}: CPU of PostgreSQL", "µs", (after[1] - before[1]) * each)
        return load

    def over_pgbench(self, name: str) -> float:
        """Run one script; note the rate and PostgreSQL's CPU for each."""
        postgres = self.stack.postgres.pid
        assert postgres is not None
        before = cpu_seconds(postgres)
        result = pgbench.run(
            self.stack.postgres,
            self.pgbench_dsn,
            self.scripts[name],
            clients=self.arguments.clients,
            seconds=int(self.arguments.seconds),
            first=next(self._runs) * 1_000_000,
        )
        spent = (cpu_seconds(postgres) - before) * 1e6 / result.count
        self.figures.add(f"pgbench {name}: submissions", "1/s", result.transactions_per_second)
        self.figures.add(f"pgbench {name}: CPU of PostgreSQL", "µs", spent)
        return result.transactions_per_second

    async def round(self, bare_port: int) -> None:
        """Everything once; ratios are of one round."""
        supervisor = self.stack.supervisor
        direct = await self.over_http("direct", self.api, supervisor.pid("requests.api"))
        through = await self.over_http("gateway", self.gateway, supervisor.pid("gateway.api"))
        bare = await self.over_http("bare framework", bare_port)
        transaction = await asyncio.to_thread(self.over_pgbench, "transaction")
        await asyncio.to_thread(self.over_pgbench, "single")
        self.figures.add("direct ÷ pgbench transaction", "", direct.rate / transaction, ">= 0.35")
        self.figures.add("direct ÷ bare framework", "", direct.rate / bare.rate)
        self.figures.add("gateway ÷ direct", "", through.rate / direct.rate, ">= 0.6")
        postgres = [
            self.figures[f"{name}: CPU of PostgreSQL"].values[-1]
            for name in ("direct", "pgbench single")
        ]
        self.figures.add(
            "PostgreSQL's CPU: direct ÷ pgbench single", "", postgres[0] / postgres[1], "<= 0.6"
        )
        calm = await send(
            self.api,
            self.submit,
            seconds=self.arguments.seconds,
            clients=self.arguments.clients,
            want=201,
            rate=direct.rate / 2,
        )
        spread = percentile(calm.times, 99) / percentile(calm.times, 50)
        self.figures.add("p99 ÷ p50 at half the rate", "", spread, "<= 5")


async def beside_everything(bench: Bench) -> None:
    """Direct submissions while every process runs: with Kafka, then with Kafka stopped."""
    rates: dict[str, list[float]] = {}
    for kafka in ("Kafka running", "Kafka stopped"):
        if kafka == "Kafka stopped":
            await asyncio.to_thread(bench.stack.broker.stop)
        for _ in range(bench.arguments.rounds):
            load = await send(
                bench.api,
                bench.submit,
                seconds=bench.arguments.seconds,
                clients=bench.arguments.clients,
                want=201,
            )
            bench.figures.add(f"beside everything, {kafka}: submissions", "1/s", load.rate)
            rates.setdefault(kafka, []).append(load.rate)
    for running_rate, stopped_rate in zip(*rates.values(), strict=True):
        share = stopped_rate / running_rate
        bench.figures.add("Kafka stopped ÷ running: submissions", "", share, ">= 0.9")


async def measure(arguments: argparse.Namespace) -> list[Figure]:
    with scratch() as directory:
        overrides = {"gateway": {"RATE_LIMITS": RATES}}
        ports = pick_free_ports()
        async with Stack(directory, ports, log_level="error", overrides=overrides) as stack:
            bench = Bench(stack, arguments)
            await bench.prepare()
            if not arguments.kafka:
                await beside_everything(bench)
                for name in OTHERS:
                    await stack.supervisor.stop(name)
            port = pick_free_port()
            command = [
                sys.executable, "-m", "uvicorn", "bench.bare:app", f"--port={port}",
                "--no-access-log", "--log-level=error", "--no-server-header",
            ]  # fmt: skip
            with running(command, os.environ):
                await wait_for_port(port)
                for _ in range(arguments.rounds):
                    await bench.round(port)
    return list(bench.figures.values())


async def wait_for_port(port: int) -> None:
    """Poll until somebody listens."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--kafka", action="store_true", help="with Kafka and every worker")
    arguments = parser.parse_args()
    beside = "Kafka and every worker beside it" if arguments.kafka else "Kafka stopped"
    figures = asyncio.run(measure(arguments))
    show(f"Intake: {arguments.clients} connections, {beside}", figures)


if __name__ == "__main__":
    main()
