"""Queries of the local copy of the catalogue."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import ItemState
from services.facilities.models import Base

_ITEM = Base.metadata.tables["catalogue_item"]


async def keep(session: AsyncSession, event: ItemState, status: str) -> None:
    """Store an item's state unless a newer one is there."""
    statement = insert(_ITEM).values(
        item_id=event.item_id,
        item_code=event.item_code,
        name=event.name,
        status=status,
        division_code=event.division_code,
        state=event.model_dump(mode="json"),
        revision=event.revision,
        recorded_at=event.recorded_at,
    )
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["item_id"],
            set_={column.name: new[column.name] for column in _ITEM.c if not column.primary_key},
            # Revisions came later than the event: among states without one, the clock decides.
            where=tuple_(_ITEM.c.revision, _ITEM.c.recorded_at)
            < tuple_(new.revision, new.recorded_at),
        )
    )


async def list_items(session: AsyncSession, item_ids: Sequence[UUID]) -> Sequence[Any]:
    """The items of these ids that the copy knows."""
    return (await session.execute(select(_ITEM).where(_ITEM.c.item_id.in_(item_ids)))).all()
