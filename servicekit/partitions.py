"""Monthly partitions of append-only tables, by the time in a UUIDv7 column: made ahead, dropped whole.

The primary key stays what it was, a look-up by the column touches one partition, and forgetting a
month is dropping a table. Source of the layout: RFC 9562 §5.7 (48 bits of Unix milliseconds).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import DATABASE_ERRORS, Database
from servicekit.logging import logger

#: A month is made this long before it begins, so that a failure has weeks to be mended.
MONTHS_AHEAD = 3
CHECK_SECONDS = 3600.0
#: Making a partition waits for no long transaction: it is tried again.
LOCK_TIMEOUT = "2s"
_LOCK = 7_305
#: What lies in no month: ids that are older than the first one, or no UUIDv7.
REST = "rest"


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table partitioned by range of a UUIDv7 column; None keeps its months for ever."""

    table: str
    keep_months: int | None = None

    def name(self, month: date) -> str:
        """The partition of a month."""
        return f"{self.table}_p{month:%Y_%m}"

    def create(self, month: date) -> str:
        """The statement that makes the partition of a month."""
        return (
            f"CREATE TABLE IF NOT EXISTS {self.name(month)} PARTITION OF {self.table} "
            f"FOR VALUES FROM ('{first_id(month)}') TO ('{first_id(add_months(month, 1))}')"
        )

    def create_rest(self) -> str:
        """The statement that makes the partition of everything else."""
        return f"CREATE TABLE {self.table}_p{REST} PARTITION OF {self.table} DEFAULT"


def add_months(month: date, count: int) -> date:
    """The first day of a month some months on."""
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def first_id(month: date) -> UUID:
    """The lowest UUIDv7 of a month (UTC)."""
    moment = datetime(month.year, month.month, 1, tzinfo=UTC)
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def months_from(first: date, count: int) -> list[date]:
    """The first days of `count` months."""
    return [add_months(first, number) for number in range(count)]


async def make_ahead(session: AsyncSession, tables: Sequence[Partitioned], today: date) -> int:
    """Make the partitions of this month and the next ones; return how many were missing."""
    made = 0
    for each in tables:
        known = set(await list_months(session, each))
        for month in months_from(today.replace(day=1), MONTHS_AHEAD + 1):
            if month not in known:
                await session.execute(text(each.create(month)))
                made += 1
    return made


async def drop_expired(session: AsyncSession, tables: Sequence[Partitioned], today: date) -> int:
    """Drop the months that are older than their table keeps; return how many."""
    dropped = 0
    for each in tables:
        if each.keep_months is None:
            continue
        oldest = add_months(today, -each.keep_months)
        for month in await list_months(session, each):
            if month < oldest:
                await session.execute(text(f"DROP TABLE {each.name(month)}"))
                dropped += 1
    return dropped


_MONTHS = text(
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = CAST(:table AS regclass) ORDER BY c.relname"
)


async def list_months(session: AsyncSession, each: Partitioned) -> list[date]:
    """The months that have a partition."""
    names = (await session.scalars(_MONTHS, {"table": each.table})).all()
    suffixes = [name.removeprefix(f"{each.table}_p") for name in names]
    return [date(int(suffix[:4]), int(suffix[5:]), 1) for suffix in suffixes if suffix != REST]


def keeper(*tables: Partitioned) -> Callable[[Database], Awaitable[None]]:
    """The job of a worker that makes and drops partitions, one worker at a time."""

    async def keep(database: Database) -> None:
        while True:
            try:
                await keep_once(database, tables, datetime.now(UTC).date())
            except DATABASE_ERRORS as error:
                logger.warning("partitions_failed", error=repr(error))
            await asyncio.sleep(CHECK_SECONDS)

    return keep


async def keep_once(database: Database, tables: Sequence[Partitioned], today: date) -> None:
    """Make what will be needed and drop what is over, unless another worker is at it."""
    async with database.transaction() as session:
        if not (await session.execute(text(f"SELECT pg_try_advisory_xact_lock({_LOCK})"))).scalar():
            return
        await session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        made = await make_ahead(session, tables, today)
        dropped = await drop_expired(session, tables, today)
    if made or dropped:
        logger.info("partitions_kept", made=made, dropped=dropped)
