"""The stand-in for Kafka where there is no Java: librdkafka's mock cluster in a child process.

It speaks Kafka's protocol and keeps everything in memory. It creates topics when they are first
mentioned, knows one consumer per group, and forgets all events when it ends.
"""

import signal
import sys
import time
from pathlib import Path
from typing import Final

from devstack.broker import POLL_SECONDS, BrokerFailed, wait_until_ready
from devstack.child import Child
from devstack.layout import ROOT

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 5.0


class StandIn:
    """A mock cluster of one broker. Each start is a new, empty one on another port."""

    is_apache = False
    owned = True
    is_new = False

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self._child = Child()
        self._address = ""

    @property
    def bootstrap_servers(self) -> str:
        return self._address

    @property
    def pid(self) -> int | None:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.running

    @property
    def crashed(self) -> bool:
        return self._child.crashed

    def start(self) -> None:
        """Start an empty cluster and wait until it answers.

        Raises:
            BrokerFailed: it ended or did not answer in time; with the end of its log.
        """
        if self.running:
            return
        self._child.reap()
        deadline = time.monotonic() + START_SECONDS
        self._directory.mkdir(parents=True, exist_ok=True)
        address_file = self._directory / "stand-in.address"
        address_file.unlink(missing_ok=True)
        self._child.start(
            [sys.executable, "-m", "devstack.stand_in_process", str(address_file)],
            log_file=self._directory / "stand-in.log",
            directory=ROOT,
        )
        while not address_file.exists():
            if not self._child.running or time.monotonic() > deadline:
                raise BrokerFailed(f"the stand-in broker failed:\n{self._child.last_words()}")
            time.sleep(POLL_SECONDS)
        self._address = address_file.read_text()
        wait_until_ready(self._address, deadline, alive=lambda: self.running)

    def stop(self) -> None:
        self._child.stop(STOP_SECONDS)

    def kill(self) -> None:
        self._child.kill()

    def suspend(self) -> None:
        self._child.send(signal.SIGSTOP)

    def resume(self) -> None:
        self._child.send(signal.SIGCONT)
