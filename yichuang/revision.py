"""Draft a migration: compare a service's tables with a scratch database at its head."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from alembic.operations.ops import MigrationScript
from alembic.script import ScriptDirectory

from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit.migrations import migration_config, upgrade


def draft(package: str, message: str) -> Path | None:
    """Write a new revision into a chain such as `services.requests.migrations`, and its head.

    Returns its path, or None when nothing differs.
    """
    with tempfile.TemporaryDirectory() as directory:
        server = PostgresServer(Path(directory) / "postgres", pick_free_port(), fast=True)
        server.start()
        try:
            server.create_database("draft", "draft", "draft")
            url = server.dsn("draft", "draft", "draft")
            url = url.replace("postgresql://", "postgresql+asyncpg://")
            upgrade(package, url)
            config = migration_config(package, url)
            command.revision(
                config, message, autogenerate=True, process_revision_directives=_drop_empty
            )
        finally:
            server.remove()
    scripts = ScriptDirectory.from_config(migration_config(package))
    head = scripts.get_current_head()
    head_file = Path(scripts.dir) / ".head"
    if head is None or (head_file.exists() and head_file.read_text().strip() == head):
        return None
    head_file.write_text(f"{head}\n")
    return Path(scripts.get_revision(head).path)


def _drop_empty(_context: Any, _revision: Any, directives: list[MigrationScript]) -> None:
    operations = directives[0].upgrade_ops
    if operations is None or operations.is_empty():
        directives.clear()


if __name__ == "__main__":
    draft(sys.argv[1], sys.argv[2])
