"""PostgreSQL and Kafka of one stack: started side by side, watched, stopped."""

import asyncio
import contextlib
from typing import Final

from devstack.broker import Broker
from devstack.errors import DevstackError
from devstack.output import Output
from devstack.postgres import PostgresServer
from devstack.stand_in import StandIn
from devstack.steps import step

WATCH_SECONDS: Final = 0.5
POLL_SECONDS: Final = 0.1
Server = PostgresServer | Broker


class Servers:
    """Both servers; what is not our own was started by somebody else and is left running."""

    def __init__(
        self,
        postgres: PostgresServer,
        broker: Broker,
        output: Output,
        *,
        own_postgres: bool,
        own_broker: bool,
    ) -> None:
        self._output = output
        self._postgres = postgres
        self._broker = broker
        self._own_postgres = own_postgres
        self._own_broker = own_broker
        self._broker_start: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        #: Whether one of them begins empty.
        self.begin_empty = postgres.is_new or broker.is_new

    @property
    def broker_address_is_known(self) -> bool:
        """The stand-in's only once it runs."""
        return bool(self._broker.bootstrap_servers)

    async def start_postgres(self) -> None:
        """Start PostgreSQL, while `begin_broker` may be under way.

        Raises:
            PostgresFailed, PortTaken: it did not start.
        """
        if not self._own_postgres:
            return
        await self._start("PostgreSQL", self._postgres)
        if self._postgres.moved:
            self._output.say(
                f"PostgreSQL keeps its data in {self._postgres.home}, because the account "
                "it runs under cannot reach this directory"
            )

    def begin_broker(self) -> None:
        """Start the broker in the background; `await broker_ready()` says how it went."""
        if self._own_broker:
            title = "Kafka (stand-in)" if isinstance(self._broker, StandIn) else "Kafka"
            self._broker_start = asyncio.create_task(self._start(title, self._broker))

    async def broker_ready(self) -> None:
        """Wait for `begin_broker`.

        Raises:
            BrokerFailed, PortTaken: it did not start.
        """
        if self._broker_start is not None:
            await self._broker_start

    def watch(self) -> None:
        """From now on, start a server again when it crashes (not when it was stopped)."""
        self._watch = asyncio.create_task(self._keep_watching(), name="watch servers")

    async def stop(self) -> None:
        """End the watch and our own servers."""
        for task in (self._watch, self._broker_start):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, DevstackError):
                    await task
        if self._own_broker:
            await asyncio.to_thread(self._broker.stop)
        if self._own_postgres:
            await asyncio.to_thread(self._postgres.stop)

    async def _start(self, title: str, server: Server) -> None:
        with step(self._output, f"starting {title}"):
            starting = asyncio.create_task(asyncio.to_thread(server.start))
            try:
                await asyncio.shield(starting)
            except asyncio.CancelledError:
                while not starting.done():  # a thread cannot be cancelled, but its server stopped
                    await asyncio.to_thread(server.stop)
                    await asyncio.wait({starting}, timeout=POLL_SECONDS)
                raise

    async def _keep_watching(self) -> None:
        servers: dict[str, Server] = {"PostgreSQL": self._postgres, "Kafka": self._broker}
        while servers:
            await asyncio.sleep(WATCH_SECONDS)
            for title, server in list(servers.items()):
                if not server.crashed:
                    continue
                if isinstance(server, StandIn):
                    self._output.warn("the stand-in for Kafka ended, and its events with it")
                    del servers[title]
                else:
                    await self._start_again(title, server)

    async def _start_again(self, title: str, server: Server) -> None:
        self._output.warn(f"{title} ended; starting it again")
        try:
            await asyncio.to_thread(server.start)
        except DevstackError as error:
            self._output.warn(str(error))
