"""The supervisor, on small real processes."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devstack import program as program_module
from devstack.output import Output
from devstack.ports import pick_free_port
from devstack.program import Program
from devstack.supervisor import NotReady, Supervisor

ROOT = Path(__file__).parents[2]
IDLE = "import signal, sys\nprint('up', flush=True)\nsignal.pause()\n"
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + IDLE
HTTP = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def python(
    name: str, code: str, *arguments: str, ready_url: str | None = None, stage: int = 0
) -> Program:
    command = (sys.executable, "-I", "-S", "-c", code, *arguments)
    return Program(name, command, {"PATH": os.defpath}, ready_url, stage=stage)


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether it runs; what nobody has reaped yet does not count."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in ("Z", "X")


class Bench:
    def __init__(self, directory: Path, *programs: Program) -> None:
        self.screen = io.StringIO()
        self.output = Output(directory, self.screen)
        self.supervisor = Supervisor(programs, self.output)


@asynccontextmanager
async def running(directory: Path, *programs: Program) -> AsyncIterator[Bench]:
    bench = Bench(directory, *programs)
    await bench.supervisor.start_all()
    try:
        await until(lambda: all(bench.supervisor.pid(each.name) for each in programs))
        yield bench
    finally:
        await bench.supervisor.stop_all()
        bench.output.close()


class TestRestart:
    async def test_a_crashed_process_is_started_again(self, tmp_path, monkeypatch):
        monkeypatch.setattr(program_module, "BACK_OFF_SECONDS", 0.01)
        async with running(tmp_path, python("api", IDLE)) as bench:
            before = bench.supervisor.pid("api")
            bench.supervisor.kill("api")
            await until(lambda: bench.supervisor.pid("api") not in (None, before))
            assert bench.supervisor.restarts("api") == 1
            assert "api was ended by SIGKILL; starting it again" in bench.screen.getvalue()

    async def test_the_pause_doubles_while_it_keeps_crashing(self, tmp_path, monkeypatch):
        monkeypatch.setattr(program_module, "BACK_OFF_SECONDS", 0.01)
        monkeypatch.setattr(program_module, "LONGEST_BACK_OFF_SECONDS", 0.04)
        bench = Bench(tmp_path, python("broken", "raise SystemExit('no such setting')"))
        await bench.supervisor.start_all()
        await until(lambda: bench.supervisor.restarts("broken") >= 4)
        await bench.supervisor.stop_all()
        bench.output.close()
        said = bench.screen.getvalue()
        pauses = [line.rsplit(" ", 2)[1] for line in said.splitlines() if "again in" in line]
        assert pauses[:4] == ["0.01", "0.02", "0.04", "0.04"]
        assert "broken            │ no such setting" in said

    async def test_after_a_healthy_time_the_pause_starts_over(self, tmp_path, monkeypatch):
        monkeypatch.setattr(program_module, "BACK_OFF_SECONDS", 0.01)
        monkeypatch.setattr(program_module, "HEALTHY_SECONDS", 0.0)
        bench = Bench(tmp_path, python("broken", "raise SystemExit(1)"))
        await bench.supervisor.start_all()
        await until(lambda: bench.supervisor.restarts("broken") >= 3)
        await bench.supervisor.stop_all()
        bench.output.close()
        assert "0.02" not in bench.screen.getvalue()

    async def test_what_was_stopped_stays_down_until_it_is_started(self, tmp_path):
        async with running(tmp_path, python("api", IDLE)) as bench:
            await bench.supervisor.stop("api", signal.SIGKILL)
            assert bench.supervisor.pid("api") is None
            assert "again" not in bench.screen.getvalue()
            await bench.supervisor.start("api")
            await until(lambda: bench.supervisor.pid("api"))


class TestStop:
    async def test_the_highest_stage_first(self, tmp_path):
        code = (
            "import signal, sys, os\n"
            "def end(*_):\n"
            "    with open(sys.argv[1], 'a') as file: file.write(sys.argv[2] + ' ')\n"
            "    sys.exit()\n"
            "signal.signal(signal.SIGTERM, end)\n" + IDLE
        )
        order = tmp_path / "order"
        programs = [
            python(name, code, str(order), name, stage=stage)
            for stage, name in enumerate(("first", "second", "third"))
        ]
        async with running(tmp_path, *programs) as bench:
            await until(lambda: bench.screen.getvalue().count("up") == 3)
        assert order.read_text().split() == ["third", "second", "first"]

    async def test_one_that_does_not_listen_is_killed_at_the_deadline(self, tmp_path):
        async with running(tmp_path, python("stubborn", STUBBORN)) as bench:
            await until(lambda: "up" in bench.screen.getvalue())
            pid = bench.supervisor.pid("stubborn")
            assert pid is not None
            await bench.supervisor.stop_all(timeout_seconds=0.2)
            assert not is_alive(pid)
            assert "did not stop in time" in bench.screen.getvalue()

    async def test_a_frozen_one_too(self, tmp_path):
        async with running(tmp_path, python("frozen", IDLE)) as bench:
            bench.supervisor.kill("frozen", signal.SIGSTOP)
        assert bench.supervisor.pid("frozen") is None

    async def test_grandchildren_end_with_their_parent(self, tmp_path):
        code = (
            "import subprocess, sys\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
            "print(child.pid, flush=True)\n" + IDLE
        )
        async with running(tmp_path, python("parent", code)) as bench:
            await until(lambda: "up" in bench.screen.getvalue())
            grandchild = int((tmp_path / "parent.log").read_text().split()[0])
            assert is_alive(grandchild)
        await until(lambda: not is_alive(grandchild))


class TestReady:
    async def test_waits_for_the_probe(self, tmp_path):
        port = pick_free_port()
        url = f"http://127.0.0.1:{port}/readyz"
        async with running(tmp_path, python("api", HTTP, str(port), ready_url=url)) as bench:
            await bench.supervisor.wait_until_ready()

    async def test_names_the_one_that_is_not(self, tmp_path):
        url = f"http://127.0.0.1:{pick_free_port()}/readyz"
        async with running(
            tmp_path, python("good", IDLE), python("bad", IDLE, ready_url=url)
        ) as bench:
            await until(lambda: bench.screen.getvalue().count("up") == 2)
            with pytest.raises(NotReady, match="bad is not ready; it last said:\n    up"):
                await bench.supervisor.wait_until_ready(timeout_seconds=0.1)


class TestOutput:
    async def test_quiet_keeps_lines_in_the_files(self, tmp_path):
        bench = Bench(tmp_path, python("api", IDLE))
        bench.output.quiet = True
        await bench.supervisor.start_all()
        await until(lambda: "up" in (tmp_path / "api.log").read_text())
        await bench.supervisor.stop_all()
        bench.output.close()
        assert "up" not in bench.screen.getvalue()

    def test_colour_only_on_a_terminal(self, tmp_path, monkeypatch):
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        for stream, coloured in ((Terminal(), True), (io.StringIO(), False)):
            output = Output(tmp_path, stream)
            output.say("hello")
            assert ("\x1b[" in stream.getvalue()) is coloured
        monkeypatch.setenv("NO_COLOR", "1")
        stream = Terminal()
        Output(tmp_path, stream).say("hello")
        assert "\x1b[" not in stream.getvalue()

    def test_a_terminal_without_unicode_is_no_crash(self, tmp_path):
        raw = io.BytesIO()
        output = Output(tmp_path, io.TextIOWrapper(raw, encoding="ascii"))
        output.say("一窗")
        assert b"??" in raw.getvalue()


class TestLifeline:
    def test_nothing_lingers_when_the_supervisor_is_killed(self, tmp_path):
        code = f"""
import asyncio, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from devstack.output import Output
from devstack.program import Program
from devstack.supervisor import Supervisor
idle = (sys.executable, "-I", "-S", "-c", "import signal; signal.pause()")
deaf = (sys.executable, "-I", "-S", "-c", {STUBBORN!r})
async def main():
    programs = [Program("idle", idle), Program("deaf", deaf)]
    supervisor = Supervisor(programs, Output(Path({str(tmp_path)!r})))
    await supervisor.start_all()
    while not all(supervisor.pid(name) for name in supervisor.names):
        await asyncio.sleep(0.01)
    print("pids", *(supervisor.pid(name) for name in supervisor.names), flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as killed:
            assert killed.stdout is not None
            line = next(line for line in killed.stdout if line.startswith(b"pids"))
            pids = [int(word) for word in line.split()[1:]]
            assert all(is_alive(pid) for pid in pids)
            killed.kill()
        asyncio.run(until(lambda: not any(is_alive(pid) for pid in pids)))
