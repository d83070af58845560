"""Runs named processes, keeps them running, and stops them stage by stage."""

import asyncio
import signal
import time
from collections.abc import Iterable
from typing import Final

import httpx

from devstack.errors import DevstackError
from devstack.output import Output
from devstack.program import STOP_SECONDS, Keeper, Program

READY_SECONDS: Final = 180.0
PROBE_SECONDS: Final = 2.0
POLL_SECONDS: Final = 0.1


class NotReady(DevstackError):
    """Some processes did not become ready in time; the message carries their last lines."""


class Supervisor:
    """The processes of a stack, by name."""

    def __init__(self, programs: Iterable[Program], output: Output) -> None:
        self._output = output
        self._keepers = {program.name: Keeper(program, output) for program in programs}
        output.announce(list(self._keepers))

    @property
    def names(self) -> list[str]:
        return list(self._keepers)

    def pid(self, name: str) -> int | None:
        """The process id of `name`; None while it is not running."""
        return self._keepers[name].pid

    def restarts(self, name: str) -> int:
        """How often `name` was started again after it ended by itself."""
        return self._keepers[name].restarts

    async def start_all(self) -> None:
        for name in self._keepers:
            await self.start(name)

    async def start(self, name: str) -> None:
        """Start `name` unless it runs, and keep it running."""
        self._keepers[name].start()

    async def stop(
        self,
        name: str,
        number: signal.Signals = signal.SIGTERM,
        timeout_seconds: float = STOP_SECONDS,
    ) -> None:
        """End `name` and leave it down until `start`."""
        await self._keepers[name].stop(number, timeout_seconds)

    def replace(self, program: Program) -> None:
        """Run another version of a program from its next start on."""
        self._keepers[program.name].program = program

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal as fate would: a process that ends by it is started again."""
        self._keepers[name].send(number)

    async def stop_all(self, timeout_seconds: float = STOP_SECONDS) -> None:
        """Stop stage by stage, the highest first; the deadline is for all of them together."""
        deadline = time.monotonic() + timeout_seconds
        for stage in sorted({each.program.stage for each in self._keepers.values()}, reverse=True):
            left = max(0.1, deadline - time.monotonic())
            await asyncio.gather(
                *(
                    keeper.stop(timeout_seconds=left)
                    for keeper in self._keepers.values()
                    if keeper.program.stage == stage
                )
            )

    async def wait_until_ready(self, *names: str, timeout_seconds: float = READY_SECONDS) -> None:
        """Poll the ready addresses of `names` (all when none is given) until they answer 200.

        Raises:
            NotReady: one did not in time.
        """
        waiting = {name: self._keepers[name] for name in names or self._keepers}
        deadline = time.monotonic() + timeout_seconds
        async with httpx.AsyncClient(timeout=PROBE_SECONDS, trust_env=False) as client:
            while waiting:
                for name, keeper in list(waiting.items()):
                    if await is_ready(keeper, client):
                        del waiting[name]
                if waiting and time.monotonic() > deadline:
                    raise NotReady(_describe(waiting))
                if waiting:
                    await asyncio.sleep(POLL_SECONDS)


async def is_ready(keeper: Keeper, client: httpx.AsyncClient | None = None) -> bool:
    """Whether a program that is kept answers at its ready address."""
    if client is None:
        async with httpx.AsyncClient(timeout=PROBE_SECONDS, trust_env=False) as own:
            return await is_ready(keeper, own)
    if keeper.pid is None:
        return False
    if keeper.program.ready_url is None:
        return True
    try:
        return (await client.get(keeper.program.ready_url)).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _describe(waiting: dict[str, Keeper]) -> str:
    parts = []
    for name, keeper in waiting.items():
        said = "\n".join(f"    {line}" for line in keeper.last_lines)
        parts.append(f"{name} is not ready; it last said:\n{said or '    nothing'}")
    return "\n".join(parts)
