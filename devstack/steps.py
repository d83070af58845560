"""One-off commands of the set-up: run to their end, shown with their time, loud when they fail."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from devstack import lifeline
from devstack.errors import DevstackError
from devstack.output import Output


class StepFailed(DevstackError):
    """A step of the set-up went wrong; the message carries what it printed."""


@contextmanager
def step(output: Output, title: str) -> Iterator[None]:
    """Say that a long step begins, and how long it took."""
    output.say(f"{title} …")
    started = time.monotonic()
    yield
    output.say(f"{title}: done in {time.monotonic() - started:.1f} s")


async def run_to_end(
    title: str,
    command: tuple[str, ...],
    environment: Mapping[str, str],
    directory: Path,
) -> str:
    """Run a command and return what it wrote.

    Raises:
        StepFailed: it ended with another status than 0.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(environment),
        cwd=directory,
        start_new_session=True,
    )
    lifeline.guard(process.pid)
    try:
        written, _ = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        lifeline.release(process.pid)
    said = written.decode(errors="replace").strip()
    if process.returncode != 0:
        raise StepFailed(f"{title} failed ({process.returncode}):\n{said}")
    return said
