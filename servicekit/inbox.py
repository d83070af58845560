"""The inbox: an event's effect and the note that it happened are one transaction."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

#: Longer than any topic keeps facts; a redelivery after that cannot happen.
KEEP_DAYS = 45

_FIRST = text(
    "INSERT INTO processed_event (consumer, event_id) "
    "SELECT :consumer, unnest(CAST(:event_ids AS uuid[])) ON CONFLICT DO NOTHING RETURNING event_id"
)
_PRUNE = text(
    "DELETE FROM processed_event WHERE processed_at < now() - make_interval(days => :days)"
)


async def first_time(session: AsyncSession, consumer: str, event_id: UUID) -> bool:
    """Whether this consumer sees the event for the first time; notes that it has."""
    return bool(await first_times(session, consumer, [event_id]))


async def first_times(session: AsyncSession, consumer: str, event_ids: Iterable[UUID]) -> set[UUID]:
    """Which events this consumer sees for the first time; notes that it has."""
    values = {"consumer": consumer, "event_ids": sorted(event_ids)}
    return set(await session.scalars(_FIRST, values))


async def prune(session: AsyncSession) -> None:
    """Forget events that Kafka itself no longer holds."""
    await session.execute(_PRUNE, {"days": KEEP_DAYS})
