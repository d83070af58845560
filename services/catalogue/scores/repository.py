"""Queries of the score copy."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.evaluation import ScoreChanged
from servicekit.copies import keep_newest
from services.catalogue.models import ItemScore

_SCORE = ItemScore.metadata.tables["item_score"]
_KEPT = ("revision", "counts", "rated", "satisfaction_ratio", "average_stars", "recorded_at")
ROWS_AT_ONCE = 1000


async def keep(session: AsyncSession, item_id: UUID, event: ScoreChanged) -> None:
    """Store a score unless a newer revision is there."""
    values = {name: getattr(event, name) for name in _KEPT} | {"item_id": item_id}
    values["counts"] = {level.value: count for level, count in event.counts.items()}
    await keep_newest(session, _SCORE, values, by=("revision",))


async def stamp(session: AsyncSession) -> tuple[int, int]:
    """Two numbers that change with every score: how many there are, and their revisions' sum."""
    row = (
        await session.execute(
            select(func.count(), func.coalesce(func.sum(col(ItemScore.revision)), 0))
        )
    ).one()
    return int(row[0]), int(row[1])


async def load(session: AsyncSession) -> dict[UUID, Any]:
    """Every score by its item."""
    columns = (
        col(ItemScore.item_id),
        col(ItemScore.rated),
        col(ItemScore.satisfaction_ratio),
        col(ItemScore.average_stars),
    )
    found: dict[UUID, Any] = {}
    result = await session.stream(select(*columns))
    async for rows in result.partitions(ROWS_AT_ONCE):
        found.update((row.item_id, row) for row in rows)
    return found
