"""Alembic per service: `env.py` calls `run`, the `migrate` command calls `upgrade`."""

import asyncio
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command, context
from alembic.config import Config
from sqlalchemy import MetaData, pool
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine


def migration_config(package: str, sqlalchemy_url: str = "") -> Config:
    """Alembic's configuration for a chain in a package such as `services.requests.migrations`."""
    config = Config()
    config.set_main_option("script_location", str(Path(str(files(package)))))
    config.set_main_option("path_separator", "os")
    config.set_main_option(
        "file_template", "%%(year)d-%%(month).2d-%%(day).2d-%%(hour).2d%%(minute).2d_%%(slug)s"
    )
    config.attributes["url"] = sqlalchemy_url
    return config


def upgrade(package: str, sqlalchemy_url: str, revision: str = "head") -> None:
    """Bring a database to a revision; runs its own event loop."""
    command.upgrade(migration_config(package, sqlalchemy_url), revision)


def run(metadata: MetaData) -> None:
    """The whole of a service's `env.py`."""
    asyncio.run(_run(context.config.attributes["url"], metadata))


async def _run(url: str, metadata: MetaData) -> None:
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate, metadata)
        await connection.commit()
    await engine.dispose()


def _migrate(connection: Connection, metadata: MetaData) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=_is_ours,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_PARTITION = re.compile(r"_p([0-9]{4}_[0-9]{2}|rest)$")


def _is_ours(_object: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
    """Leave partitions alone: they are made at run time."""
    return not (kind == "table" and reflected and name is not None and _PARTITION.search(name))
