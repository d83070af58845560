"""Ends child processes when the process that started them dies, however it dies.

One small watcher process per parent reads process ids from a pipe. When the parent is gone, even by
SIGKILL, the pipe ends, and the watcher stops every process group still on its list. (Linux's
PR_SET_PDEATHSIG does the same only while the *thread* that forked lives, and nowhere else.)
"""

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

_WATCHER = Path(__file__).with_name("lifeline_watcher.py")
_lock = threading.Lock()
_guarded: dict[int, signal.Signals] = {}
_watcher: subprocess.Popen[bytes] | None = None


def guard(pid: int, number: signal.Signals = signal.SIGTERM) -> None:
    """Have the process group led by `pid` stopped, by `number` first, should this process die."""
    with _lock:
        _guarded[pid] = number
        _tell(f"+{pid} {number.value}\n")


def release(pid: int) -> None:
    """Forget `pid`, which was waited for: its number may soon belong to somebody else."""
    with _lock:
        _guarded.pop(pid, None)
        _tell(f"-{pid}\n")


def _tell(line: str) -> None:
    """Write to the watcher; one that died is replaced and told everything."""
    global _watcher
    if _watcher is None or _watcher.poll() is not None:
        _watcher = _start_watcher()
        line = "".join(f"+{pid} {number.value}\n" for pid, number in _guarded.items())
    assert _watcher.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        _watcher.stdin.write(line.encode())


def _start_watcher() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own file, our own interpreter
        [sys.executable, "-I", "-S", str(_WATCHER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,  # ctrl-C is for the parent alone
        cwd=os.sep,
    )


@atexit.register
def _close() -> None:
    """Close the pipe at interpreter exit; the watcher then ends what is still listed."""
    global _watcher
    with _lock:
        if _watcher is not None and _watcher.stdin is not None:
            _watcher.stdin.close()
            _watcher.wait(timeout=30)
            _watcher = None
