"""What the catalogue offers, as last told."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.items import repository


async def find_all(session: AsyncSession, item_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Id → row of the copy, for those it knows."""
    return {row.item_id: row for row in await repository.list_items(session, item_ids)}
