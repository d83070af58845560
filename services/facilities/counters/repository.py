"""Queries of counters and what they take."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base

_COUNTER = Base.metadata.tables["counter"]
_OFFER = Base.metadata.tables["counter_item"]
_ITEM = Base.metadata.tables["catalogue_item"]


async def list_counters(session: AsyncSession, facility_id: UUID) -> Sequence[Any]:
    """The counters of a facility in the order they were recorded."""
    statement = (
        select(_COUNTER).where(_COUNTER.c.facility_id == facility_id).order_by(_COUNTER.c.id)
    )
    return (await session.execute(statement)).all()


async def list_offers(session: AsyncSession, facility_id: UUID) -> Sequence[Any]:
    """Counter, item and the item's state, for everything a facility takes."""
    statement = (
        select(
            _OFFER.c.counter_id, _ITEM.c.item_id, _ITEM.c.item_code, _ITEM.c.name, _ITEM.c.status
        )
        .select_from(_OFFER.join(_ITEM, _ITEM.c.item_id == _OFFER.c.item_id))
        .where(_OFFER.c.facility_id == facility_id)
        .order_by(_ITEM.c.item_code)
    )
    return (await session.execute(statement)).all()


async def add(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write a new counter."""
    await session.execute(insert(_COUNTER).values(values))


async def change(session: AsyncSession, counter_id: UUID, values: dict[str, Any]) -> None:
    """Write over a counter; its facility is locked."""
    await session.execute(update(_COUNTER).where(_COUNTER.c.id == counter_id).values(values))


async def remove(session: AsyncSession, counter_id: UUID) -> None:
    """Forget a counter and what it took."""
    await session.execute(delete(_OFFER).where(_OFFER.c.counter_id == counter_id))
    await session.execute(delete(_COUNTER).where(_COUNTER.c.id == counter_id))


async def set_offers(
    session: AsyncSession, facility_id: UUID, counter_id: UUID, item_ids: Sequence[UUID]
) -> None:
    """Let a counter take these items and no others."""
    await session.execute(delete(_OFFER).where(_OFFER.c.counter_id == counter_id))
    if item_ids:
        rows = [
            {"counter_id": counter_id, "item_id": item, "facility_id": facility_id}
            for item in item_ids
        ]
        await session.execute(insert(_OFFER), rows)
