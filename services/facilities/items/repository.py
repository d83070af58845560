"""Queries of the local copy of the catalogue."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import ItemState
from servicekit.copies import keep_newest
from services.facilities.models import Base

_ITEM = Base.metadata.tables["catalogue_item"]


async def keep(session: AsyncSession, event: ItemState) -> None:
    """Store an item's state unless a newer one is there.

    Revisions came later than the event: among states without one, the clock decides.
    """
    values = {
        "item_id": event.item_id,
        "item_code": event.item_code,
        "name": event.name,
        "status": event.status,
        "division_code": event.division_code,
        "state": event.model_dump(mode="json"),
        "revision": event.revision,
        "recorded_at": event.recorded_at,
    }
    await keep_newest(session, _ITEM, values, by=("revision", "recorded_at"))


async def list_items(session: AsyncSession, item_ids: Sequence[UUID]) -> Sequence[Any]:
    """The items of these ids that the copy knows."""
    return (await session.execute(select(_ITEM).where(_ITEM.c.item_id.in_(item_ids)))).all()
