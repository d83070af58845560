"""What the other features ask of the copies of items."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.evaluation.items import repository


async def names(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names of items as they are now, of ended ones as they were last; unknown ones are left out."""
    return await repository.names(session, ids)
