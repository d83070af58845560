"""Brings databases, topics and reference data to where the source wants them."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from devstack.environment import Surroundings, command, machine_environment
from devstack.fingerprint import fingerprint
from devstack.layout import DATABASES, ROOT, SERVICES
from devstack.output import Output
from devstack.steps import run_to_end, step

_SEEDED_SCRIPT: Final = """
import sys
from servicekit.process import load_service
print(*[name for name in sys.argv[1:] if load_service(name).seed is not None])
"""


class SetUp:
    """Migrations and seeds, each once per version of the source; both may be repeated."""

    def __init__(self, around: Surroundings, output: Output, *, broker_kind: str) -> None:
        self._around = around
        self._output = output
        self._stamp = around.directory / "set-up"
        self._topics_are_declared = broker_kind != "StandIn"
        self._broker_kind = broker_kind
        self._slots = asyncio.Semaphore(max(2, os.cpu_count() or 1))

    def is_done(self) -> bool:
        return self._stamp.exists() and self._stamp.read_text() == self._fingerprint()

    def forget(self) -> None:
        self._stamp.unlink(missing_ok=True)

    async def run(self) -> None:
        """Migrate every database and create the topics, then load the reference data.

        Raises:
            StepFailed: a command failed.
        """
        done = self._fingerprint()  # before: an edit in between is not covered
        with step(self._output, "migrating databases, loading reference data"):
            seeded = asyncio.create_task(self._seeded())
            try:
                await asyncio.gather(*(self._one(name, seeded) for name in DATABASES))
            finally:
                seeded.cancel()
        self._stamp.write_text(done)

    async def _one(self, name: str, seeded: asyncio.Task[list[str]]) -> None:
        await self._command(name, "migrate")
        if name in await seeded:
            said = await self._command(name, "seed")
            for line in said.splitlines()[-1:]:
                self._output.say(f"  {line}")

    async def _seeded(self) -> list[str]:
        """Services that have reference data, by their own definition."""
        async with self._slots:
            script = (sys.executable, "-c", _SEEDED_SCRIPT, *SERVICES)
            said = await run_to_end("listing seeds", script, machine_environment(), ROOT)
        return said.split()

    async def _command(self, name: str, verb: str) -> str:
        environment = self._around.environment(name) | {f"{name.upper()}_LOG_LEVEL": "warning"}
        if not self._topics_are_declared:  # the stand-in makes them when they are first used
            environment.pop(f"{name.upper()}_KAFKA_BOOTSTRAP_SERVERS", None)
        async with self._slots:
            return await run_to_end(f"{name} {verb}", command(name, verb), environment, ROOT)

    def _fingerprint(self) -> str:
        return fingerprint(self._broker_kind, Path(ROOT))
