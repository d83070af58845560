"""The state of every service's outbox, read from its database."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

CONNECT_SECONDS = 5.0
_STATUS = """
SELECT count(*) AS depth, coalesce(extract(epoch FROM now() - min(time)), 0)::float8 AS age
FROM outbox_message
"""


@dataclass(frozen=True, slots=True)
class Status:
    """How much waits for the relay and how long the oldest has; `problem` when nobody knows."""

    service: str
    depth: int = 0
    oldest_seconds: float = 0.0
    problem: str | None = None


async def status_of(databases: Sequence[tuple[str, str]]) -> list[Status]:
    """Ask every database, given as (service, address), at the same time."""
    return await asyncio.gather(*(_status(service, dsn) for service, dsn in databases))


async def _status(service: str, dsn: str) -> Status:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await asyncpg.connect(
                dsn, server_settings={"application_name": "yichuang.outbox"}
            )
            try:
                row = await connection.fetchrow(_STATUS)
            finally:
                await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Status(service, problem=str(error) or type(error).__name__)
    assert row is not None
    return Status(service, row["depth"], row["age"])
