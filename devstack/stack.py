"""A whole stack: PostgreSQL, Kafka, the OIDC issuer and every process, started and stopped."""

import asyncio
import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from devstack import postgres_home
from devstack.broker import Broker
from devstack.environment import Surroundings, environment_file, program_table
from devstack.errors import DevstackError
from devstack.kafka import choose_broker
from devstack.layout import DATABASES
from devstack.output import Output
from devstack.ports import Ports, PortTaken
from devstack.postgres import PostgresServer
from devstack.servers import Servers
from devstack.setup import SetUp
from devstack.stack_secrets import StackSecrets, write_private
from devstack.steps import step
from devstack.supervisor import Supervisor


class StackBusy(DevstackError):
    """Another run uses the same directory."""


def ensure_unused(directory: Path) -> None:
    """Check that no stack runs in `directory`.

    Raises:
        StackBusy: one does.
    """
    _take_lock(directory).close()


def _take_lock(directory: Path) -> IO[str]:
    """A lock that lasts until the file is closed or this process ends, however it ends."""
    lock = (directory / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip()
        lock.close()
        raise StackBusy(f"process {owner} already runs a stack in {directory}") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


class Stack:
    """Everything on one machine, with all its state in one directory.

    A server that is passed in must be started, and is left running; else the stack has its own.
    """

    def __init__(
        self,
        directory: Path,
        ports: Ports | None = None,
        *,
        postgres: PostgresServer | None = None,
        broker: Broker | None = None,
        fast: bool = False,
        overrides: Mapping[str, Mapping[str, str]] | None = None,
        output: Output | None = None,
        log_level: str = "info",
    ) -> None:
        self.directory = directory.absolute()
        self.ports = ports or Ports()
        self.output = output or Output(self.directory / "logs")
        self._own_postgres = postgres is None
        self._postgres = postgres or PostgresServer(
            self.directory / "postgres", self.ports.postgres, fast=fast
        )
        self._own_broker = broker is None
        self._broker = broker
        self._overrides = overrides or {}
        self._log_level = log_level
        self._around: Surroundings | None = None
        self._supervisor: Supervisor | None = None
        self._servers: Servers | None = None
        self._lock: IO[str] | None = None

    # -- what it is -------------------------------------------------------------------------

    @property
    def postgres(self) -> PostgresServer:
        return self._postgres

    @property
    def broker(self) -> Broker:
        assert self._broker is not None, "the stack was not started"
        return self._broker

    @property
    def supervisor(self) -> Supervisor:
        assert self._supervisor is not None, "the stack was not started"
        return self._supervisor

    @property
    def around(self) -> Surroundings:
        assert self._around is not None, "the stack was not started"
        return self._around

    @property
    def gateway_url(self) -> str:
        return self.around.gateway_url

    @property
    def issuer_url(self) -> str:
        return self.around.issuer_url

    # -- life -------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start everything and wait until every process is ready. `stop()` also after a failure.

        Raises:
            StackBusy: another run uses the directory.
            UnsafeDirectory: it belongs to somebody else.
            PortTaken: another program has one of the ports.
            PostgresFailed, BrokerFailed: a server did not start.
            StepFailed: a migration or a seed failed.
            NotReady: a process did not become ready.
        """
        self._prepare_directory()
        self._check_ports()
        secrets = StackSecrets(self.directory)
        secrets.load()
        if self._broker is None:
            self._broker = await asyncio.to_thread(
                choose_broker, self.directory / "kafka", self.ports, True, self.output.warn
            )
        servers = self._servers = Servers(
            self._postgres,
            self._broker,
            self.output,
            own_postgres=self._own_postgres,
            own_broker=self._own_broker,
        )
        servers.begin_broker()
        await servers.start_postgres()
        await asyncio.to_thread(self._create_databases, secrets)
        if not servers.broker_address_is_known:
            await servers.broker_ready()
        self._around = self._surroundings(secrets)
        write_private(self.directory / "stack.env", environment_file(self._around))
        await self._set_up(servers)
        await self._start_processes(servers)
        servers.watch()

    async def stop(self) -> None:
        """Stop everything in reverse order; nothing of it is left running."""
        if self._supervisor is not None:
            await self._supervisor.stop_all()
        if self._servers is not None:
            await self._servers.stop()
        self.output.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # -- inside -----------------------------------------------------------------------------

    def _prepare_directory(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        postgres_home.ensure_ours(self.directory)
        # PostgreSQL's account must pass through; the secrets in it are 0600.
        self.directory.chmod(0o711)
        self._lock = _take_lock(self.directory)

    def _check_ports(self) -> None:
        """Name every taken port at once, before anything is started."""
        taken = self.ports.taken()
        servers = {self.ports.postgres, self.ports.kafka, self.ports.kafka_controller}
        # Servers of a run that was killed may still be there: they are ended by their own start.
        taken = {port: name for port, name in taken.items() if port not in servers}
        if taken:
            named = ", ".join(f"{port} ({name})" for port, name in sorted(taken.items()))
            raise PortTaken(
                f"ports in use by another program: {named}. "
                "End it, or choose other ports with --port-offset."
            )

    def _create_databases(self, secrets: StackSecrets) -> None:
        for name in DATABASES:
            self._postgres.create_database(name, name, secrets.password(name))

    def _surroundings(self, secrets: StackSecrets) -> Surroundings:
        return Surroundings(
            directory=self.directory,
            ports=self.ports,
            secrets=secrets,
            database_url={
                name: self._postgres.dsn(name, name, secrets.password(name)) for name in DATABASES
            },
            bootstrap_servers=self.broker.bootstrap_servers,
            overrides=self._overrides,
            log_level=self._log_level,
        )

    async def _set_up(self, servers: Servers) -> None:
        setup = SetUp(self.around, self.output, broker_kind=type(self.broker).__name__)
        if servers.begin_empty or not self.broker.owned:
            setup.forget()
        if setup.is_done():
            self.output.say("databases, topics and reference data are up to date")
            return
        await servers.broker_ready()  # topics are part of it
        await setup.run()

    async def _start_processes(self, servers: Servers) -> None:
        """Start what needs no broker while that is still starting, then the workers."""
        programs = program_table(self.around)
        supervisor = self._supervisor = Supervisor(programs, self.output)
        with step(self.output, f"starting {len(programs)} processes"):
            for program in sorted(programs, key=lambda program: program.needs_broker):
                if program.needs_broker:
                    await servers.broker_ready()
                await supervisor.start(program.name)
            await supervisor.wait_until_ready()
