"""One Apache Kafka node (KRaft, broker and controller in one) as a direct child process."""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devstack.broker import BrokerFailed, wait_until_ready
from devstack.child import Child
from devstack.leftovers import end_leftover
from devstack.ports import Ports, wait_until_free

START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 15.0
HEAP: Final = ("-Xms128m", "-Xmx512m")
CLUSTER_ID: Final = "eWljaHVhbmctZGV2LXN0Yw"  # 16 bytes, base64url

_LOG4J2 = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %-5p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


@dataclass(frozen=True, slots=True)
class Detour:
    """A second listener, whose clients are told to come back through something in between."""

    listen: int
    advertise: int


class ApacheKafka:
    """A broker with all it owns in one directory; it survives being stopped, killed and frozen."""

    is_apache = True
    owned = True

    def __init__(self, directory: Path, ports: Ports, *, java: Path, jars: Path) -> None:
        self._directory = directory.absolute()
        self._ports = ports
        self._java = java
        self._jars = jars
        self._child = Child()
        #: Set before the start.
        self.detour: Detour | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self._ports.kafka}"

    @property
    def is_new(self) -> bool:
        return not self._formatted.exists()

    @property
    def log_file(self) -> Path:
        return self._directory / "kafka.log"

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
        """Format the storage when it is new, start the broker, wait until it takes topics.

        Raises:
            PortTaken: another program has one of its ports.
            BrokerFailed: it ended or did not answer in time; with the end of its log.
        """
        if self.running:
            return
        self._child.reap()
        deadline = time.monotonic() + START_SECONDS
        end_leftover(self._pid_file, str(self._configuration))
        wait_until_free(self._ports.kafka, "Kafka")
        wait_until_free(self._ports.kafka_controller, "Kafka's controller")
        self._configure()
        self._child.start(
            [*self._command("kafka.Kafka"), str(self._configuration)],
            log_file=self.log_file,
            environment=self._environment(),
            directory=self._directory,
        )
        self._pid_file.write_text(f"{self.pid}\n")
        wait_until_ready(
            self.bootstrap_servers,
            deadline,
            alive=lambda: self.running,
            last_words=self._child.last_words,
        )

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> None:
        """Controlled shutdown; killed if that takes too long."""
        self._child.stop(timeout_seconds)

    def kill(self) -> None:
        """End it by SIGKILL, unprepared."""
        self._child.kill()

    def suspend(self) -> None:
        """Freeze it: connections stay open, nothing answers."""
        self._child.send(signal.SIGSTOP)

    def resume(self) -> None:
        self._child.send(signal.SIGCONT)

    @property
    def _pid_file(self) -> Path:
        return self._directory / "kafka.pid"

    @property
    def _formatted(self) -> Path:
        return self._directory / "formatted"

    @property
    def _configuration(self) -> Path:
        return self._directory / "server.properties"

    def _configure(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        (self._directory / "log4j2.properties").write_text(_LOG4J2)
        lines = [f"{name}={value}\n" for name, value in self._properties().items()]
        self._configuration.write_text("".join(lines))
        if self.is_new:
            self._format()

    def _format(self) -> None:
        shutil.rmtree(self._directory / "data", ignore_errors=True)  # of an interrupted format
        command = self._command("kafka.tools.StorageTool")
        command += ["format", "--standalone", "--cluster-id", CLUSTER_ID]
        outcome = subprocess.run(  # noqa: S603 - no shell, our own arguments
            [*command, "--config", str(self._configuration)],
            check=False,
            capture_output=True,
            text=True,
            env=self._environment(),
        )
        if outcome.returncode != 0:
            raise BrokerFailed(
                f"formatting Kafka's storage failed: {outcome.stdout}{outcome.stderr}"
            )
        self._formatted.touch()

    def _command(self, main_class: str) -> list[str]:
        return [
            str(self._java),
            *HEAP,
            "-XX:+UseSerialGC",
            # The quick compiler alone: ready in half the CPU time, which a small machine shares.
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:-UsePerfData",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={self._directory / 'log4j2.properties'}",
            "-cp",
            f"{self._jars}/*",
            main_class,
        ]

    def _properties(self) -> dict[str, str]:
        """Settings of a single node. Source: Apache Kafka documentation, broker configs."""
        controller = f"127.0.0.1:{self._ports.kafka_controller}"
        listeners = f"PLAINTEXT://{self.bootstrap_servers},CONTROLLER://{controller}"
        advertised = listeners
        if self.detour:
            listeners += f",DETOUR://127.0.0.1:{self.detour.listen}"
            advertised += f",DETOUR://127.0.0.1:{self.detour.advertise}"
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": listeners,
            "advertised.listeners": advertised,
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,DETOUR:PLAINTEXT"
            ),
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.bootstrap.servers": controller,
            "log.dirs": str(self._directory / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "3",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            # A consumer that joins starts at once instead of waiting for others.
            "group.initial.rebalance.delay.ms": "0",
            # After kill -9 the controller refuses the new broker until the old one has timed out.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
            "num.network.threads": "2",
            "num.io.threads": "4",
        }

    @staticmethod
    def _environment() -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
