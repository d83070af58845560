"""The world a storm breaks: real processes on Apache Kafka and PostgreSQL, with links between."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.apache_kafka import ApacheKafka, Detour
from devstack.environment import api_program, worker_program
from devstack.errors import DevstackError
from devstack.kafka import choose_broker
from devstack.layout import SERVICES
from devstack.output import Output
from devstack.ports import pick_free_port, pick_free_ports
from devstack.postgres import PostgresServer
from devstack.program import Keeper, Program
from devstack.stack import Stack
from devstack.stack_secrets import StackSecrets
from devstack.supervisor import is_ready
from tests.faults.citizens import until
from tests.faults.storm.link import Link
from tests.faults.storm.release import Release

#: A crowd on one address is no attack here.
_RATES = json.dumps(dict.fromkeys(("read", "write", "verification"), "100000/100000"))
#: The clock of a Python process jumps when it gets SIGUSR1.
_JUMP = """\
import datetime, signal, time_machine

def jump(*_):
    now = datetime.datetime.now(datetime.UTC)
    time_machine.travel(now + datetime.timedelta(seconds={seconds}), tick=True).start()

signal.signal(signal.SIGUSR1, jump)
"""


class NoApacheKafka(DevstackError):
    """The stand-in cannot be broken and mended again."""


class World:
    """One stack; its services reach Kafka and their databases through links."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.links: dict[str, Link] = {}
        #: What each service that was deployed runs now.
        self.releases: dict[str, Release] = {}
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._closing.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for link in self.links.values():
            link.mend()
        await self._closing.aclose()

    async def _start(self) -> None:
        ports = pick_free_ports()
        self.postgres = PostgresServer(self.directory / "postgres", ports.postgres)
        broker = await asyncio.to_thread(choose_broker, self.directory / "kafka", ports)
        if not isinstance(broker, ApacheKafka):
            raise NoApacheKafka("a storm needs Apache Kafka: Java 17 or newer and Maven")
        self.broker = broker
        inside = pick_free_port()
        kafka = await self._link("kafka", inside)
        broker.detour = Detour(listen=inside, advertise=kafka.port)
        for name in SERVICES:
            await self._link(f"{name}-database", ports.postgres)
        await asyncio.to_thread(self.postgres.start)
        self._closing.push_async_callback(asyncio.to_thread, self.postgres.stop)
        await asyncio.to_thread(broker.start)
        self._closing.push_async_callback(asyncio.to_thread, broker.stop)
        told = self._closing.enter_context((self.directory / "stack.log").open("w"))
        self.stack = Stack(
            self.directory,
            ports,
            postgres=self.postgres,
            broker=broker,
            overrides=self._overrides(ports.postgres),
            output=Output(self.directory / "logs", told),
            log_level="warning",
        )
        await self._closing.enter_async_context(self.stack)

    async def _link(self, name: str, port: int) -> Link:
        self.links[name] = await self._closing.enter_async_context(Link(port))
        return self.links[name]

    def _overrides(self, postgres_port: int) -> dict[str, dict[str, str]]:
        self.directory.mkdir(parents=True, exist_ok=True)
        secrets = StackSecrets(self.directory)
        secrets.load()
        overrides = {"gateway": {"RATE_LIMITS": _RATES}}
        for name in SERVICES:
            dsn = self.postgres.dsn(name, name, secrets.password(name))
            linked = dsn.replace(f":{postgres_port}/", f":{self.links[f'{name}-database'].port}/")
            overrides[name] = {
                "DATABASE_URL": linked,
                "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.links['kafka'].port}",
            }
        return overrides

    async def mend(self) -> None:
        """Bring everything back, whatever state it is in, and wait until it is ready."""
        for link in self.links.values():
            link.mend()
        self.broker.resume()
        await asyncio.to_thread(self.postgres.resume)
        if not self.postgres.running:
            await asyncio.to_thread(self.postgres.start)
        if not self.broker.running:
            await asyncio.to_thread(self.broker.start)
        await self.stack.supervisor.start_all()
        await self.stack.supervisor.wait_until_ready()

    # -- more workers than the stack has ---------------------------------------------------

    async def second_worker(
        self, service: str, *, jump_seconds: int = 0, release: Release | None = None
    ) -> Keeper:
        """Start one more worker of a service and wait until it takes part; `stop()` it.

        With `jump_seconds` its clock jumps by so much when it gets SIGUSR1.
        """
        program = worker_program(self.stack.around, service)
        port = pick_free_port()
        environment = dict(program.environment)
        environment[f"{service.upper()}_WORKER_METRICS_PORT"] = str(port)
        if jump_seconds:
            environment["PYTHONPATH"] = str(self._jumping_clock(jump_seconds))
        second = Program(
            f"{service}.second",
            (sys.executable, "-m", f"services.{service}", "worker"),
            environment,
            f"http://127.0.0.1:{port}/readyz",
            release.directory if release else program.directory,
        )
        self.stack.output.announce([second.name])
        keeper = Keeper(second, self.stack.output)
        keeper.start()
        self._closing.push_async_callback(keeper.stop)
        await until(f"{second.name} is ready", partial(is_ready, keeper))
        return keeper

    async def next_release(self, service: str) -> Release:
        """Make the next release and run its migrations; nothing of it serves yet."""
        before = self.releases.get(service)
        release = await asyncio.to_thread(Release.after, before, service, self.directory)
        environment = self.stack.around.environment(service)
        await asyncio.to_thread(release.migrate, environment)
        return release

    async def roll_out(self, release: Release) -> None:
        """Replace the service's worker and then its API by a release's."""
        supervisor, around = self.stack.supervisor, self.stack.around
        for make in (worker_program, api_program):
            program = replace(make(around, release.service), directory=release.directory)
            supervisor.replace(program)
            await supervisor.stop(program.name)
            await supervisor.start(program.name)
            await supervisor.wait_until_ready(program.name)
        self.releases[release.service] = release

    def _jumping_clock(self, seconds: int) -> Path:
        """A directory whose `sitecustomize` lets Python's clock jump by so much."""
        directory = self.directory / f"clock{seconds:+d}"
        directory.mkdir(exist_ok=True)
        (directory / "sitecustomize.py").write_text(_JUMP.format(seconds=seconds))
        return directory
