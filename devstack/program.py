"""One supervised process: its command, its life, its restarts."""

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from devstack import lifeline
from devstack.output import Output

BACK_OFF_SECONDS: Final = 0.5
LONGEST_BACK_OFF_SECONDS: Final = 30.0
#: Having run this long, the next crash counts as the first.
HEALTHY_SECONDS: Final = 10.0
STOP_SECONDS: Final = 15.0
CHUNK_BYTES: Final = 65_536
LAST_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and how to tell that it is ready."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Answers 200 once it is ready; None: it is as soon as it runs.
    ready_url: str | None = None
    directory: Path | None = None
    #: Programs of the highest stage are stopped first, those of one stage together.
    stage: int = 0
    #: Not started before Kafka answers.
    needs_broker: bool = False


class Keeper:
    """Keeps one program running: a task that starts it again, later and later, when it crashes."""

    def __init__(self, program: Program, output: Output) -> None:
        self.program = program
        self.restarts = 0
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._output = output
        self._wanted = False
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """None while it is not running."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Keep it running from now on."""
        if self._task is None or self._task.done():
            self._wanted = True
            self._task = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")

    async def stop(
        self,
        number: signal.Signals = signal.SIGTERM,
        timeout_seconds: float = STOP_SECONDS,
    ) -> None:
        """End it and leave it so: with `number`, and by SIGKILL after the timeout."""
        self._wanted = False
        if self._task is None:
            return
        if self._process is None:
            self._task.cancel()  # it was waiting to start again
        else:
            self.send(number)
            self.send(signal.SIGCONT)  # a suspended process does not hear the other one
        _, pending = await asyncio.wait({self._task}, timeout=timeout_seconds)
        if pending:
            self._output.warn(f"{self.program.name} did not stop in time and is killed")
            self.send(signal.SIGKILL)
            await asyncio.wait({self._task})
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    def send(self, number: signal.Signals) -> None:
        """Send a signal; one that ends it is followed by a restart."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _keep(self) -> None:
        pause = BACK_OFF_SECONDS
        while True:
            started = time.monotonic()
            status = await self._run_once()
            if not self._wanted:
                return
            if time.monotonic() - started > HEALTHY_SECONDS:
                pause = BACK_OFF_SECONDS
            self._report(status, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_BACK_OFF_SECONDS)
            self.restarts += 1

    def _report(self, status: int, pause: float) -> None:
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended ({status})"
        if self._output.quiet and status > 0:
            for line in self.last_lines:
                self._output.warn(f"{self.program.name}: {line}")
        self._output.warn(f"{self.program.name} {how}; starting it again in {pause:g} s")

    async def _run_once(self) -> int:
        """Run it to its end; whatever it started itself ends with it."""
        self.last_lines.clear()
        # A pipe of our own: with asyncio's, wait() would also wait for grandchildren to close it.
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb", buffering=0) as output:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self.program.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=writing,
                    stderr=writing,
                    env=dict(self.program.environment),
                    cwd=self.program.directory,
                    start_new_session=True,
                )
            finally:
                os.close(writing)
            self._process = process
            lifeline.guard(process.pid)
            pump = asyncio.create_task(self._pump(output))
            try:
                return await process.wait()
            finally:
                self._process = None
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                lifeline.release(process.pid)
                await pump

    async def _pump(self, output: IO[bytes]) -> None:
        stream = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), output
        )
        rest = b""
        while chunk := await stream.read(CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._line(line)
        if rest:
            self._line(rest)

    def _line(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self.last_lines.append(text)
        self._output.line(self.program.name, text)
