"""Chooses a Kafka broker: the one given, else Apache Kafka, else a stand-in in memory."""

import os
import sys
import time
from pathlib import Path
from typing import Final

from devstack.apache_kafka import ApacheKafka
from devstack.broker import Broker, BrokerUnavailable, wait_until_ready
from devstack.errors import DevstackError
from devstack.jars import KAFKA, JarsUnavailable, Progress
from devstack.java import OLDEST_JAVA, find_java
from devstack.ports import Ports
from devstack.stand_in import StandIn

EXTERNAL_SECONDS: Final = 30.0
GIVEN: Final = "KAFKA_BOOTSTRAP_SERVERS"


class NotOurs(DevstackError):
    """The broker belongs to somebody else and must not be broken."""


class External:
    """A broker that runs elsewhere."""

    is_apache = True
    owned = False
    is_new = False
    pid = None
    running = True
    crashed = False

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers = bootstrap_servers

    def start(self) -> None:
        """Wait until it answers.

        Raises:
            BrokerFailed: it did not.
        """
        wait_until_ready(self.bootstrap_servers, time.monotonic() + EXTERNAL_SECONDS)

    def stop(self) -> None:
        """Leave it running."""

    def kill(self) -> None:
        raise NotOurs(f"{GIVEN} names a broker that is not ours to kill")

    def suspend(self) -> None:
        raise NotOurs(f"{GIVEN} names a broker that is not ours to suspend")

    def resume(self) -> None:
        """Nothing was suspended."""


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def choose_broker(
    directory: Path,
    ports: Ports,
    allow_stand_in: bool = True,
    progress: Progress = _to_stderr,
) -> Broker:
    """The best broker to be had on this machine, not started.

    Raises:
        BrokerUnavailable: only a stand-in could be had and it is not allowed.
    """
    given = os.environ.get(GIVEN)
    if given:
        return External(given)
    fallback = directory.parent
    java = find_java()
    if java is None:
        missing = f"Java {OLDEST_JAVA} or newer was not found"
    else:
        try:
            jars = KAFKA.fetch(fallback, progress)
            return ApacheKafka(directory, ports, java=java, jars=jars)
        except JarsUnavailable as error:
            missing = str(error)
    if not allow_stand_in:
        raise BrokerUnavailable(f"Apache Kafka cannot be run here: {missing}")
    progress(
        f"WARNING: no Apache Kafka here ({missing}). A stand-in keeps events in memory: "
        "they do not survive a restart. `yichuang doctor` says what to install."
    )
    return StandIn(directory)


def start_broker(
    directory: Path,
    ports: Ports,
    allow_stand_in: bool = True,
    progress: Progress = _to_stderr,
) -> Broker:
    """Choose a broker, start it and wait until it answers.

    Raises:
        BrokerUnavailable: only a stand-in could be had and it is not allowed.
        BrokerFailed: it did not start.
    """
    broker = choose_broker(directory, ports, allow_stand_in, progress)
    broker.start()
    return broker
