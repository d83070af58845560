"""Ends servers that outlived the run that started them, and nothing else that has their number."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

POLL_SECONDS: Final = 0.02
LEFTOVER_SECONDS: Final = 15.0


def end_leftover(pid_file: Path, mark: str) -> None:
    """Stop the process that `pid_file` names if its command line contains `mark`.

    The file is removed: the number in it may meanwhile belong to another process.
    """
    pid = _read_pid(pid_file)
    if pid is None:
        return
    for number in (signal.SIGINT, signal.SIGKILL):
        if mark in command_line(pid):
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, number)
            _wait_until_gone(pid, mark)
    pid_file.unlink(missing_ok=True)


def is_alive(pid_file: Path, mark: str) -> bool:
    """Whether the process that `pid_file` names runs and has `mark` in its command line."""
    pid = _read_pid(pid_file)
    return pid is not None and mark in command_line(pid)


def _read_pid(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _wait_until_gone(pid: int, mark: str) -> None:
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while mark in command_line(pid) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def command_line(pid: int) -> str:
    """What process `pid` was started as; empty when there is none (or only its remains)."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return os.fsdecode((proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" "))
        except (FileNotFoundError, ProcessLookupError):
            return ""
    ps = shutil.which("ps") or "ps"
    command = [ps, "-p", str(pid), "-o", "command="]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout  # noqa: S603
