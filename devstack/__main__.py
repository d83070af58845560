"""`python -m devstack run|demo|up|clean`: the whole of Yichuang on this machine."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Final

import typer

from devstack import postgres_home
from devstack.errors import DevstackError
from devstack.layout import STATE
from devstack.output import Output
from devstack.ports import Ports
from devstack.report import addresses
from devstack.stack import Stack, ensure_unused
from devstack.walk import WalkFailed, access_token, walk

INTERRUPTED: Final = 130

app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
Directory = Annotated[Path, typer.Option(help="Where the stack keeps its state.")]
Offset = Annotated[int, typer.Option(help="Shift every port by this number.")]


@app.command(help="Start everything, walk one case through it, and keep serving.")
def run(directory: Directory = STATE, port_offset: Offset = 0) -> None:
    _finish(_serve(directory, Ports(port_offset), guided=True, serve=True))


@app.command(help="Start everything, walk one case through it, and stop. Fails when a step does.")
def demo(directory: Directory = STATE, port_offset: Offset = 0) -> None:
    _finish(_serve(directory, Ports(port_offset), guided=True, serve=False))


@app.command(help="Start everything and keep serving.")
def up(directory: Directory = STATE, port_offset: Offset = 0) -> None:
    _finish(_serve(directory, Ports(port_offset), guided=False, serve=True))


@app.command(help="Delete the stack's state: databases, events, secrets, logs.")
def clean(directory: Directory = STATE) -> None:
    try:
        if directory.exists():
            ensure_unused(directory)
    except DevstackError as error:
        _fail(str(error))
    postgres_home.remove(directory / "postgres")
    if directory.exists():
        shutil.rmtree(directory)


@app.command(help="Print an access token: of a staff member by name, or a resident by mobile.")
def token(
    who: Annotated[str, typer.Argument(help="a user name of devstack/staff.yaml, or a mobile")],
    directory: Directory = STATE,
    port_offset: Offset = 0,
) -> None:
    gateway = f"http://127.0.0.1:{Ports(port_offset).http('gateway')}"
    sys.stdout.write(asyncio.run(access_token(gateway, who, directory / "sms.jsonl")) + "\n")


async def _serve(directory: Path, ports: Ports, *, guided: bool, serve: bool) -> None:
    started = time.monotonic()
    output = Output(directory / "logs")
    output.quiet = True
    async with Stack(directory, ports, output=output) as stack:
        output.say(f"everything is up after {time.monotonic() - started:.1f} s")
        if guided:
            output.plain()
            await walk(stack.gateway_url, stack.around.development_outbox, output.plain)
        if serve:
            for line in addresses(stack):
                output.plain(line)
            output.quiet = False
            with contextlib.suppress(asyncio.CancelledError):  # ctrl-C is how serving ends
                await asyncio.Event().wait()
        output.say("stopping …")


def _finish(main: Coroutine[None, None, None]) -> None:
    """Run to the end or to ctrl-C, and leave with a status that says how it went."""
    try:
        asyncio.run(_until_signalled(main))
    except (DevstackError, WalkFailed) as error:
        _fail(str(error))


async def _until_signalled(main: Coroutine[None, None, None]) -> None:
    """A first SIGINT or SIGTERM stops everything in order; a second one at once.

    Raises:
        typer.Exit: the signal came before `main` had done its work.
    """
    task = asyncio.ensure_future(main)
    loop = asyncio.get_running_loop()
    signalled = False

    def on_signal() -> None:
        nonlocal signalled
        if signalled:
            os._exit(INTERRUPTED)  # the lifeline ends what is left
        signalled = True
        sys.stderr.write("\nstopping; once more to stop at once\n")
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        await task
    except asyncio.CancelledError as error:
        raise typer.Exit(INTERRUPTED) from error


def _fail(message: str) -> None:
    sys.stderr.write(f"\n{message}\n")
    raise typer.Exit(1)


if __name__ == "__main__":
    app(prog_name="python -m devstack")
