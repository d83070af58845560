"""Queries of rooms."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base

_FACILITY = Base.metadata.tables["facility"]
_ROOM = Base.metadata.tables["room"]


async def list_rooms(session: AsyncSession, facility_id: UUID) -> Sequence[Any]:
    """The rooms of a facility in the order they were recorded."""
    statement = select(_ROOM).where(_ROOM.c.facility_id == facility_id).order_by(_ROOM.c.id)
    return (await session.execute(statement)).all()


async def list_guests(session: AsyncSession, facility_id: UUID) -> list[UUID]:
    """Facilities inside this one that are not closed."""
    statement = (
        select(_FACILITY.c.id)
        .where(_FACILITY.c.host_id == facility_id, _FACILITY.c.state != "closed")
        .order_by(_FACILITY.c.id)
    )
    return list((await session.scalars(statement)).all())


async def add(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write a new room."""
    await session.execute(insert(_ROOM).values(values))


async def change(session: AsyncSession, room_id: UUID, values: dict[str, Any]) -> None:
    """Write over a room; its facility is locked."""
    await session.execute(update(_ROOM).where(_ROOM.c.id == room_id).values(values))


async def remove(session: AsyncSession, room_id: UUID) -> None:
    """Forget a room; the facility's history keeps that it was there."""
    await session.execute(delete(_ROOM).where(_ROOM.c.id == room_id))
