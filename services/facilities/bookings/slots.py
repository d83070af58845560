"""Queries of what takes bookings: places of slots are taken and given back by one statement each."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base, BookingState

_RESOURCE = Base.metadata.tables["booking_resource"]
_SLOT = Base.metadata.tables["booking_slot"]
_BOOKING = Base.metadata.tables["booking"]
_FACILITY = Base.metadata.tables["facility"]
_COUNTER = Base.metadata.tables["counter"]
_ROOM = Base.metadata.tables["room"]

_TAKE = text(
    "UPDATE booking_slot SET taken = taken + 1 WHERE resource_id = :resource_id "
    "AND starts_at = :starts_at AND taken < capacity RETURNING taken"
)
_GIVE_BACK = text(
    "UPDATE booking_slot SET taken = taken - 1 "
    "WHERE resource_id = :resource_id AND starts_at = :starts_at"
)
_RESIZE = text(
    "UPDATE booking_slot SET capacity = greatest(taken, :capacity) "
    "WHERE resource_id = :resource_id AND starts_at > :now RETURNING starts_at"
)


async def find_resource(
    session: AsyncSession, resource_id: UUID, *, lock: bool = False, share: bool = False
) -> Any | None:
    """A resource with its name and its place; with `lock` or `share`, its rules stay as they are.

    Whoever changes them takes the lock alone; takers of places share it.
    """
    statement = _resources().where(_RESOURCE.c.id == resource_id)
    if lock or share:
        statement = statement.with_for_update(of=_RESOURCE, read=share)
    return (await session.execute(statement)).one_or_none()


async def lock_resources(session: AsyncSession, facility_id: UUID) -> dict[UUID, Any]:
    """What takes bookings in a facility, when whoever was just taking a place has done so."""
    statement = _resources().where(_RESOURCE.c.facility_id == facility_id).order_by(_RESOURCE.c.id)
    rows = await session.execute(statement.with_for_update(of=_RESOURCE))
    return {row.id: row for row in rows}


async def list_resources(session: AsyncSession, facility_id: UUID) -> Sequence[Any]:
    """What takes bookings in a facility, in the order of recording."""
    statement = _resources().where(_RESOURCE.c.facility_id == facility_id)
    rows: Sequence[Any] = (await session.execute(statement.order_by(_RESOURCE.c.id))).all()
    return rows


async def belongs(
    session: AsyncSession, facility_id: UUID, *, counter_id: UUID | None, room_id: UUID | None
) -> bool:
    """Whether a counter or a room is one of the facility's."""
    table, wanted = (_COUNTER, counter_id) if counter_id is not None else (_ROOM, room_id)
    statement = select(table.c.id).where(table.c.id == wanted, table.c.facility_id == facility_id)
    return (await session.execute(statement)).first() is not None


async def add_resource(session: AsyncSession, values: dict[str, Any]) -> bool:
    """Write a resource; False when the counter or room takes bookings already."""
    statement = upsert(_RESOURCE).values(values).on_conflict_do_nothing()
    added = await session.execute(statement.returning(_RESOURCE.c.id))
    return added.first() is not None


async def change_resource(session: AsyncSession, resource_id: UUID, values: dict[str, Any]) -> None:
    """Write the rules of a resource whose row is locked."""
    await session.execute(update(_RESOURCE).where(_RESOURCE.c.id == resource_id).values(values))


async def resize_slots(
    session: AsyncSession, resource_id: UUID, capacity: int, now: datetime
) -> list[datetime]:
    """Give coming slots another capacity, never below what is taken; returns their beginnings."""
    values = {"resource_id": resource_id, "capacity": capacity, "now": now}
    return sorted((await session.scalars(_RESIZE, values)).all())


async def is_booked_ahead(session: AsyncSession, resource_id: UUID, now: datetime) -> bool:
    """Whether any place of a coming slot is taken."""
    statement = select(_SLOT.c.starts_at).where(
        _SLOT.c.resource_id == resource_id, _SLOT.c.ends_at > now, _SLOT.c.taken > 0
    )
    return (await session.execute(statement.limit(1))).first() is not None


async def collides(
    session: AsyncSession, resource_id: UUID, starts_at: datetime, ends_at: datetime
) -> bool:
    """Whether a booked slot from before a change of hours reaches into a slot of today's hours."""
    statement = select(_SLOT.c.starts_at).where(
        _SLOT.c.resource_id == resource_id,
        _SLOT.c.taken > 0,
        _SLOT.c.starts_at < ends_at,
        _SLOT.c.ends_at > starts_at,
        _SLOT.c.starts_at != starts_at,
    )
    return (await session.execute(statement.limit(1))).first() is not None


async def make_slot(session: AsyncSession, values: dict[str, Any]) -> None:
    """Make sure that a slot has a row."""
    await session.execute(upsert(_SLOT).values(values).on_conflict_do_nothing())


async def take(session: AsyncSession, resource_id: UUID, starts_at: datetime) -> bool:
    """Take a place of a slot; False when there is none left. Locks the slot until we commit."""
    taken = await session.execute(_TAKE, {"resource_id": resource_id, "starts_at": starts_at})
    return taken.first() is not None


async def give_back(session: AsyncSession, resource_id: UUID, starts_at: datetime) -> None:
    """Give a place back. Locks the slot until we commit."""
    await session.execute(_GIVE_BACK, {"resource_id": resource_id, "starts_at": starts_at})


async def lock_slots(session: AsyncSession, wanted: Collection[tuple[UUID, datetime]]) -> None:
    """Hold several slots against takers, in one order."""
    key = tuple_(_SLOT.c.resource_id, _SLOT.c.starts_at)
    statement = select(_SLOT.c.taken).where(key.in_(wanted))
    ordered = statement.order_by(_SLOT.c.resource_id, _SLOT.c.starts_at)
    await session.execute(ordered.with_for_update())


async def lock_slot(session: AsyncSession, resource_id: UUID, starts_at: datetime) -> None:
    """Hold a slot against takers until we commit."""
    await session.execute(
        select(_SLOT.c.taken)
        .where(_SLOT.c.resource_id == resource_id, _SLOT.c.starts_at == starts_at)
        .with_for_update()
    )


async def list_slots(
    session: AsyncSession, resource_id: UUID, first: datetime, last: datetime
) -> dict[datetime, Any]:
    """Beginning → capacity, taken and waiting of the slots that somebody booked."""
    waiting = (
        select(func.count())
        .where(
            _BOOKING.c.resource_id == _SLOT.c.resource_id,
            _BOOKING.c.starts_at == _SLOT.c.starts_at,
            _BOOKING.c.state == BookingState.waiting,
        )
        .scalar_subquery()
    )
    statement = select(_SLOT, waiting.label("waiting")).where(
        _SLOT.c.resource_id == resource_id, _SLOT.c.starts_at.between(first, last)
    )
    return {row.starts_at: row for row in await session.execute(statement)}


def _resources() -> Select[Any]:
    return select(
        _RESOURCE,
        func.coalesce(_COUNTER.c.name, _ROOM.c.name).label("name"),
        _COUNTER.c.weekly_hours.label("counter_hours"),
        func.coalesce(_COUNTER.c.is_open, True).label("is_staffed"),
        _FACILITY.c.name.label("facility_name"),
        _FACILITY.c.division_code,
        _FACILITY.c.state.label("facility_state"),
    ).select_from(
        _RESOURCE.join(_FACILITY, _FACILITY.c.id == _RESOURCE.c.facility_id)
        .outerjoin(_COUNTER, _COUNTER.c.id == _RESOURCE.c.counter_id)
        .outerjoin(_ROOM, _ROOM.c.id == _RESOURCE.c.room_id)
    )
