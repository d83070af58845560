"""The ports of a development stack, all shifted together so that several stacks can run at once."""

import random
import socket
import time
from dataclasses import dataclass
from typing import Final

from devstack.errors import DevstackError

BASE_HTTP: Final = {
    "gateway": 8000,
    "catalogue": 8010,
    "requests": 8020,
    "facilities": 8030,
    "evaluation": 8040,
    "exchange": 8050,
}
BASE_ISSUER: Final = 8090
BASE_POSTGRES: Final = 5439
BASE_KAFKA: Final = 9292
HIGHEST_BASE: Final = BASE_KAFKA + 1

# Metrics sit a thousand above HTTP; a worker's one above its API's.
METRICS_DISTANCE: Final = 1000
# Above this Linux hands out ports to outgoing connections (ip_local_port_range starts at 32768).
HIGHEST_USABLE: Final = 32_767
OFFSET_STEP: Final = 100
POLL_SECONDS: Final = 0.02


class PortTaken(DevstackError):
    """A server's port belongs to another program."""


class NoFreePorts(DevstackError):
    """No offset was found whose ports are all free."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Every port of one stack; `offset` is added to the numbers of the documentation."""

    offset: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.offset <= HIGHEST_USABLE - HIGHEST_BASE:
            limit = HIGHEST_USABLE - HIGHEST_BASE
            raise ValueError(f"port offset must be between 0 and {limit}, not {self.offset}")

    @property
    def postgres(self) -> int:
        return BASE_POSTGRES + self.offset

    @property
    def kafka(self) -> int:
        return BASE_KAFKA + self.offset

    @property
    def kafka_controller(self) -> int:
        return BASE_KAFKA + 1 + self.offset

    @property
    def issuer(self) -> int:
        return BASE_ISSUER + self.offset

    def http(self, process: str) -> int:
        return BASE_HTTP[process] + self.offset

    def metrics(self, process: str) -> int:
        return self.http(process) + METRICS_DISTANCE

    def worker_metrics(self, process: str) -> int:
        return self.metrics(process) + 1

    def all(self) -> dict[int, str]:
        """What each port is for, by number."""
        names = {
            self.postgres: "PostgreSQL",
            self.kafka: "Kafka",
            self.kafka_controller: "Kafka controller",
            self.issuer: "development OIDC issuer",
        }
        for process in BASE_HTTP:
            names[self.http(process)] = f"{process} API"
            names[self.metrics(process)] = f"{process} API metrics"
            if process != "gateway":
                names[self.worker_metrics(process)] = f"{process} worker metrics"
        return names

    def taken(self) -> dict[int, str]:
        """Those of `all()` that something on this machine already listens on."""
        return {port: name for port, name in self.all().items() if not is_free(port)}


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_until_free(port: int, purpose: str, timeout_seconds: float = 1.0) -> None:
    """Give a server that was just ended the moment it needs to let go of its port.

    Raises:
        PortTaken: something else listens there.
    """
    deadline = time.monotonic() + timeout_seconds
    while not is_free(port):
        if time.monotonic() > deadline:
            raise PortTaken(f"port {port} for {purpose} is already in use")
        time.sleep(POLL_SECONDS)


def pick_free_ports(attempts: int = 200) -> Ports:
    """A stack's worth of free ports at a random offset, so that parallel runs rarely meet.

    Raises:
        NoFreePorts: every offset tried had a port taken.
    """
    steps = (HIGHEST_USABLE - HIGHEST_BASE) // OFFSET_STEP
    chooser = random.SystemRandom()  # not the seeded generator that test plug-ins reset
    for _ in range(attempts):
        ports = Ports(offset=chooser.randint(1, steps) * OFFSET_STEP)
        if not ports.taken():
            return ports
    raise NoFreePorts(f"no free block of ports found in {attempts} attempts")


def pick_free_port() -> int:
    """One free port for a server of its own, outside the range of outgoing connections."""
    chooser = random.SystemRandom()
    for _ in range(200):
        port = chooser.randint(HIGHEST_BASE + OFFSET_STEP, HIGHEST_USABLE)
        if is_free(port):
            return port
    raise NoFreePorts("no free port found")
