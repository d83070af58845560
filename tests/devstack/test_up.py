"""`python -m devstack`: the real command, interrupted, killed, and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from devstack import postgres_home
from devstack.leftovers import command_line
from devstack.ports import Ports, pick_free_ports
from devstack.stack import StackBusy, ensure_unused

pytestmark = pytest.mark.xdist_group("stack")

ROOT = Path(__file__).parents[2]
READY = "ctrl-C stops it."


def devstack(verb: str, directory: Path, ports: Ports) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "devstack", verb, "--directory", str(directory)]
    if verb != "clean":
        command += ["--port-offset", str(ports.offset)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@contextmanager
def started(directory: Path, ports: Ports) -> Iterator[subprocess.Popen[str]]:
    """`up`, read until it serves; killed when the test leaves it running."""
    with devstack("up", directory, ports) as process:
        try:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if READY in line:
                    break
            assert READY in said[-1], "".join(said)
            yield process
        finally:
            process.kill()
            process.wait()


def processes_of(directory: Path, ports: Ports) -> list[int]:
    """Everything that runs because of this stack, by environment or command line."""
    marks = (str(directory), f"_PORT={ports.http('gateway')}", f"_PORT={ports.issuer}")
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes().decode(errors="replace")
        except (OSError, ProcessLookupError):
            continue
        text = environment + command_line(int(entry.name))
        if any(mark in text for mark in marks):
            found.append(int(entry.name))
    return found


def wait_until_gone(directory: Path, ports: Ports) -> None:
    deadline = time.monotonic() + 30
    while (left := processes_of(directory, ports)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left, [command_line(pid) for pid in left]


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    postgres_home.remove(tmp_path / "state" / "postgres")  # also where it was kept elsewhere


@pytest.mark.slow
@pytest.mark.kafka
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_killed_it_leaves_nothing_and_starts_again_where_it_was(directory):
    ports = pick_free_ports()
    with started(directory, ports) as process:
        answer = httpx.get(f"http://127.0.0.1:{ports.http('gateway')}/docs", trust_env=False)
        assert answer.status_code == 200
        with pytest.raises(StackBusy, match=str(process.pid)):
            ensure_unused(directory)
        with devstack("clean", directory, ports) as refused:
            said, _ = refused.communicate()
            assert refused.returncode == 1
            assert "already runs" in said
        process.kill()
        process.wait()
        wait_until_gone(directory, ports)
    with started(directory, ports) as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        rest = process.stdout.read()
        assert process.wait() == 0, rest
        wait_until_gone(directory, ports)
    with devstack("clean", directory, ports) as cleaned:
        assert cleaned.wait() == 0
        assert not directory.exists()


def test_interrupted_before_it_serves_it_says_so(directory):
    ports = pick_free_ports()
    with devstack("demo", directory, ports) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it has begun to start something
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait() == 130, rest
    with devstack("clean", directory, ports) as cleaned:
        assert cleaned.wait() == 0
