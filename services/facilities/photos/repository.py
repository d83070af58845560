"""Queries of pictures."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base

_PHOTO = Base.metadata.tables["photo"]


async def list_photos(session: AsyncSession, facility_id: UUID) -> Sequence[Any]:
    """The pictures of a facility in the order they were added."""
    statement = select(_PHOTO).where(_PHOTO.c.facility_id == facility_id).order_by(_PHOTO.c.id)
    return (await session.execute(statement)).all()


async def find(session: AsyncSession, facility_id: UUID, photo_id: UUID) -> Any | None:
    """One picture of a facility."""
    statement = select(_PHOTO).where(_PHOTO.c.facility_id == facility_id, _PHOTO.c.id == photo_id)
    return (await session.execute(statement)).one_or_none()


async def add(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write a new picture."""
    await session.execute(insert(_PHOTO).values(values))


async def remove(session: AsyncSession, facility_id: UUID, photo_id: UUID) -> bool:
    """Forget a picture; False when there is none."""
    statement = (
        delete(_PHOTO)
        .where(_PHOTO.c.facility_id == facility_id, _PHOTO.c.id == photo_id)
        .returning(_PHOTO.c.id)
    )
    return (await session.execute(statement)).first() is not None


async def list_known(session: AsyncSession, photo_ids: set[UUID]) -> set[UUID]:
    """Which of these are pictures of a facility."""
    statement = select(_PHOTO.c.id).where(_PHOTO.c.id.in_(photo_ids))
    return set((await session.scalars(statement)).all())
