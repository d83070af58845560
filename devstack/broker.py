"""What every kind of broker has in common, and how to tell that one is ready."""

import asyncio
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from devstack.errors import DevstackError

POLL_SECONDS: Final = 0.05
PROBE_SECONDS: Final = 5.0


class BrokerFailed(DevstackError):
    """The broker could not be started or reached; the message carries its own words."""


class BrokerUnavailable(DevstackError):
    """This machine has nothing to run the wanted kind of broker with."""


class Broker(Protocol):
    """A Kafka broker, wherever it came from. Methods block."""

    @property
    def is_apache(self) -> bool:
        """Apache Kafka, rather than the stand-in that knows one consumer per group."""

    @property
    def owned(self) -> bool:
        """Ours to stop and to break; False for one that KAFKA_BOOTSTRAP_SERVERS names."""

    @property
    def is_new(self) -> bool:
        """Whether its next start begins without topics."""

    @property
    def bootstrap_servers(self) -> str:
        """`host:port,…`; to be read after `start()`, for the stand-in picks its own port."""

    @property
    def pid(self) -> int | None: ...

    @property
    def running(self) -> bool: ...

    @property
    def crashed(self) -> bool:
        """Whether it ended although nobody asked it to."""

    def start(self) -> None:
        """Start it and wait until it answers; nothing happens when it runs."""

    def stop(self) -> None:
        """Stop it in an orderly way, within bounds."""

    def kill(self) -> None:
        """End it by SIGKILL, unprepared."""

    def suspend(self) -> None:
        """Freeze it: connections stay open, nothing answers."""

    def resume(self) -> None:
        """Let a frozen one go on."""


def wait_until_ready(
    bootstrap_servers: str,
    deadline: float,
    *,
    alive: Callable[[], bool] = lambda: True,
    last_words: Callable[[], str] = lambda: "",
) -> None:
    """Poll until a broker is registered with its controller; `deadline` is in time.monotonic().

    Raises:
        BrokerFailed: it ended, or did not answer before the deadline.
    """
    servers = bootstrap_servers.split(",")
    while time.monotonic() < deadline:
        if not alive():
            raise BrokerFailed(f"Kafka ended while starting:\n{last_words()}")
        if any(_listens(server) for server in servers) and _answers(bootstrap_servers):
            return
        time.sleep(POLL_SECONDS)
    raise BrokerFailed(f"Kafka at {bootstrap_servers} did not answer in time:\n{last_words()}")


def _listens(server: str) -> bool:
    host, _, port = server.strip().rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=PROBE_SECONDS):
            return True
    except OSError:
        return False


def _answers(bootstrap_servers: str) -> bool:
    """Ask in a thread of its own, because the caller's may already run an event loop."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(asyncio.run, _has_brokers(bootstrap_servers)).result()


async def _has_brokers(bootstrap_servers: str) -> bool:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap_servers, request_timeout_ms=int(PROBE_SECONDS * 1000)
    )
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()
