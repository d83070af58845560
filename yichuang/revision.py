"""Draft a migration: compare a service's tables with a scratch database at its head."""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit.migrations import migration_config, upgrade


def draft(package: str, message: str) -> None:
    """Write a new revision into a chain such as `services.requests.migrations`, and its head."""
    with tempfile.TemporaryDirectory() as directory:
        server = PostgresServer(Path(directory) / "postgres", pick_free_port(), fast=True)
        server.start()
        try:
            server.create_database("draft", "draft", "draft")
            url = server.dsn("draft", "draft", "draft")
            url = url.replace("postgresql://", "postgresql+asyncpg://")
            upgrade(package, url)
            config = migration_config(package, url)
            command.revision(config, message, autogenerate=True)
        finally:
            server.remove()
    scripts = ScriptDirectory.from_config(migration_config(package))
    (Path(scripts.dir) / ".head").write_text(f"{scripts.get_current_head()}\n")


if __name__ == "__main__":
    draft(sys.argv[1], sys.argv[2])
