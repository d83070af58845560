"""One server process of ours: started as a direct child, watched over, signalled and reaped."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from devstack import lifeline
from devstack.account import Account

LOG_TAIL_LINES: Final = 15


class Child:
    """A process in a session of its own (ctrl-C is for us alone), its output in a log file.

    Ended with us, even when we are killed: see `devstack.lifeline`.
    """

    def __init__(self, end_with: signal.Signals = signal.SIGTERM) -> None:
        self._end_with = end_with
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted = False
        self._log_file: Path | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def crashed(self) -> bool:
        """Whether it ended although nobody asked it to."""
        return self._wanted and not self.running

    def start(
        self,
        command: Sequence[str],
        *,
        log_file: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        account: Account | None = None,
    ) -> None:
        """Start it with an empty log; returns at once."""
        self._log_file = log_file
        log_file.write_bytes(b"")
        with log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, our own arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=directory or os.sep,
                env=environment,
                **(account.identity if account else {}),
            )
        self._wanted = True
        lifeline.guard(self._process.pid, self._end_with)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it has ended."""
        if self.running:
            assert self._process is not None
            self._process.send_signal(number)

    def send_to_all(self, number: signal.Signals) -> None:
        """Send a signal to it and to the processes it has started; Linux tells which they are."""
        self.send(number)  # first: when this stops it, it starts no more of them
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        if self.running and children.exists():
            for pid in children.read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), number)

    def stop(self, timeout_seconds: float) -> None:
        """Ask it to end, insist after the timeout, and reap it."""
        self._wanted = False
        if self._process is not None:
            self.send(self._end_with)
            self.send(signal.SIGCONT)  # a suspended process does not hear the other one
            try:
                self._process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                self.send(signal.SIGKILL)
        self.reap()

    def kill(self) -> None:
        self._wanted = False
        self.send(signal.SIGKILL)
        self.reap()

    def reap(self) -> None:
        """Wait for its end, without which its process id would look alive."""
        if self._process is not None:
            self._process.wait()
            lifeline.release(self._process.pid)
            self._process = None

    def last_words(self) -> str:
        """The end of its log."""
        if self._log_file is None:
            return ""
        lines = self._log_file.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])
