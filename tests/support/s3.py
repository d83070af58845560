"""A real S3 server for tests: S3Proxy over a directory, fetched by Maven as Apache Kafka is."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.child import Child
from devstack.errors import DevstackError
from devstack.jars import Jars
from devstack.java import find_java

S3PROXY = Jars("s3proxy", Path(__file__).with_name("s3-pom.xml"))
IDENTITY, SECRET = "test-identity", "test-credential"
START_SECONDS = 90.0

_LOGBACK = """\
<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %-5level %logger - %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="out"/></root>
</configuration>
"""


class S3Unavailable(DevstackError):
    """Java is missing, or the server did not start; with its last words."""


class S3Server:
    """A server with everything it owns in one directory; a bucket is a directory below `buckets`."""

    def __init__(self, directory: Path, port: int, *, java: Path, jars: Path) -> None:
        self._directory = directory
        self._port = port
        self._java = java
        self._jars = jars
        self._child = Child()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which clients find it and say who they are."""
        return {
            "AWS_ACCESS_KEY_ID": IDENTITY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_REGION": "us-east-1",
        }

    def create_bucket(self, name: str) -> Path:
        """Make a bucket; return the directory where its objects lie."""
        path = self._directory / "buckets" / name
        path.mkdir(parents=True)
        return path

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            S3Unavailable: it ended or was not ready in time.
        """
        (self._directory / "buckets").mkdir(parents=True, exist_ok=True)
        (self._directory / "logback.xml").write_text(_LOGBACK)
        properties = self._directory / "s3proxy.properties"
        lines = {
            "s3proxy.endpoint": f"http://127.0.0.1:{self._port}",
            "s3proxy.authorization": "aws-v2-or-v4",
            "s3proxy.identity": IDENTITY,
            "s3proxy.credential": SECRET,
            "jclouds.provider": "filesystem-nio2",
            "jclouds.identity": "unused",
            "jclouds.credential": "unused",
            "jclouds.filesystem.basedir": str(self._directory / "buckets"),
        }
        properties.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        self._child.start(
            [
                str(self._java), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                f"-Dlogback.configurationFile={self._directory / 'logback.xml'}",
                "-cp", f"{self._jars}/*", "org.gaul.s3proxy.Main", "--properties", str(properties),
            ],
            log_file=self._directory / "s3proxy.log",
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            if not self._child.running or time.monotonic() > deadline:
                raise S3Unavailable(f"S3Proxy did not start:\n{self._child.last_words()}")
            time.sleep(0.05)

    def stop(self) -> None:
        self._child.stop(5.0)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), 1.0).close()
        except OSError:
            return False
        return True


@contextmanager
def s3_server(directory: Path, port: int) -> Iterator[S3Server]:
    """A server for a while.

    Raises:
        S3Unavailable, JarsUnavailable: Java or Maven is missing; says which.
    """
    java = find_java()
    if java is None:
        raise S3Unavailable("Java 17 or newer is not installed")
    server = S3Server(directory, port, java=java, jars=S3PROXY.fetch(directory, print))
    server.start()
    try:
        yield server
    finally:
        server.stop()
