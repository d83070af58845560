"""Apache Kafka's own performance tools, run as they come: what a broker gives without us.

Their jar is not among those of a broker; Maven fetches it, of the same version, beside them.
"""

import csv
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from devstack.jars import KAFKA, JarsUnavailable
from devstack.java import find_java, find_maven

RUN_SECONDS = 300
_SENT = re.compile(r"^(\d+) records sent, ([0-9.]+) records/sec", re.MULTILINE)


def fetch(fallback: Path) -> Path:
    """The jar of the tools, downloaded on first use.

    Raises:
        JarsUnavailable: Maven is missing or failed; with its own words.
    """
    name = f"kafka-tools-{KAFKA.version()}"
    directory = KAFKA.cache_directory(fallback).with_name(name)
    jar = directory / f"{name}.jar"
    if jar.exists():
        return jar
    maven = find_maven()
    if maven is None:
        raise JarsUnavailable("Maven is not installed")
    partial = directory.with_name(f"{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = [str(maven), "--batch-mode", "--strict-checksums", "--quiet", "dependency:copy"]
    command += [f"-Dartifact=org.apache.kafka:{name.replace('tools-', 'tools:')}"]
    done = subprocess.run(
        [*command, f"-DoutputDirectory={partial}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise JarsUnavailable(f"Maven could not fetch Kafka's tools:\n{done.stdout[-2000:]}")
    partial.rename(directory)
    return jar


@dataclass(frozen=True)
class KafkaTools:
    """Both tools against one topic of one broker."""

    java: Path
    jars: Path
    tools: Path
    bootstrap_servers: str
    topic: str

    @classmethod
    def there(cls, directory: Path, bootstrap_servers: str, topic: str) -> "KafkaTools":
        """Fetch what is missing.

        Raises:
            JarsUnavailable: it could not be had.
        """
        java = find_java()
        if java is None:
            raise JarsUnavailable("Java is not installed")
        jars = KAFKA.fetch(directory, lambda line: print(line, file=sys.stderr))
        return cls(java, jars, fetch(directory), bootstrap_servers, topic)

    def produce(self, records: int, record_bytes: int) -> float:
        """Records a second that kafka-producer-perf-test sends, as safely as the relay does."""
        said = self._run(
            "ProducerPerformance",
            f"--num-records={records}", f"--record-size={record_bytes}", "--throughput=-1",
            "--command-property", "acks=all", "enable.idempotence=true",
        )  # fmt: skip
        return produced(said)

    def consume(self, records: int) -> float:
        """Records a second that kafka-consumer-perf-test reads, from the oldest there is."""
        said = self._run("ConsumerPerformance", f"--num-records={records}", "--timeout=60000")
        return consumed(said)

    def _run(self, tool: str, *arguments: str) -> str:
        command = [
            str(self.java), "-Xmx256m", "-XX:+UseSerialGC", "-cp", f"{self.jars}/*:{self.tools}",
            f"org.apache.kafka.tools.{tool}", f"--bootstrap-server={self.bootstrap_servers}",
            f"--topic={self.topic}", *arguments,
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=RUN_SECONDS
        )
        if done.returncode:
            raise RuntimeError(f"{tool} failed: {(done.stdout + done.stderr)[-2000:]}")
        return done.stdout


def produced(said: str) -> float:
    """Records a second of everything, from what kafka-producer-perf-test said.

    Raises:
        ValueError: it said something else.
    """
    found = _SENT.findall(said)
    if not found:
        raise ValueError(f"not what kafka-producer-perf-test says: {said[-500:]}")
    return float(found[-1][1])  # those before are of the time so far


def consumed(said: str) -> float:
    """Records a second after joining, from what kafka-consumer-perf-test said.

    Raises:
        ValueError: it said something else.
    """
    rows = [row for row in csv.reader(said.splitlines(), skipinitialspace=True) if row]
    for number, row in enumerate(rows[:-1]):
        if "fetch.nMsg.sec" in row:
            return float(rows[number + 1][row.index("fetch.nMsg.sec")])
    raise ValueError(f"not what kafka-consumer-perf-test says: {said[-500:]}")
