"""Queries of bookings, of their history, and of what a person has booked."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base, BookingState

_RESOURCE = Base.metadata.tables["booking_resource"]
_BOOKING = Base.metadata.tables["booking"]
_HISTORY = Base.metadata.tables["booking_history"]
_FACILITY = Base.metadata.tables["facility"]
_COUNTER = Base.metadata.tables["counter"]
_ROOM = Base.metadata.tables["room"]
_OPEN = (BookingState.held, BookingState.waiting, BookingState.confirmed)
PERSON_LOCK = 7_304

_ONE_PERSON = text("SELECT pg_advisory_xact_lock(hashtextextended(:person, :lock))")


async def lock_person(session: AsyncSession, applicant_id: UUID) -> None:
    """One request of a person at a time, so that the rules for a person hold."""
    await session.execute(_ONE_PERSON, {"person": str(applicant_id), "lock": PERSON_LOCK})


async def first_waiting(
    session: AsyncSession, resource_id: UUID, starts_at: datetime
) -> Any | None:
    """Who waits longest for a place in a slot; the row is locked."""
    statement = (
        select(_BOOKING)
        .where(*_waiting(resource_id, starts_at))
        .order_by(_BOOKING.c.id)
        .limit(1)
        .with_for_update()
    )
    return (await session.execute(statement)).one_or_none()


async def count_waiting(
    session: AsyncSession, resource_id: UUID, starts_at: datetime, *, before: UUID | None = None
) -> int:
    """How many wait for a slot, or wait longer than one of them."""
    statement = select(func.count()).select_from(_BOOKING).where(*_waiting(resource_id, starts_at))
    if before is not None:
        statement = statement.where(_BOOKING.c.id < before)
    return (await session.execute(statement)).scalar_one()


async def count_open(session: AsyncSession, applicant_id: UUID, facility_id: UUID) -> int:
    """Open bookings of a person in a place."""
    statement = (
        select(func.count())
        .select_from(_BOOKING)
        .where(
            _BOOKING.c.applicant_id == applicant_id,
            _BOOKING.c.facility_id == facility_id,
            _BOOKING.c.state.in_(_OPEN),
        )
    )
    return (await session.execute(statement)).scalar_one()


async def overlaps(
    session: AsyncSession, applicant_id: UUID, starts_at: datetime, ends_at: datetime
) -> bool:
    """Whether a person has an open booking at that time, anywhere."""
    statement = select(_BOOKING.c.id).where(
        _BOOKING.c.applicant_id == applicant_id,
        _BOOKING.c.state.in_(_OPEN),
        _BOOKING.c.starts_at < ends_at,
        _BOOKING.c.ends_at > starts_at,
    )
    return (await session.execute(statement.limit(1))).first() is not None


async def missed_days(
    session: AsyncSession, applicant_id: UUID, facility_id: UUID, limit: int
) -> list[date]:
    """The days of a person's last no-shows in a place, in local time."""
    day = func.date(func.timezone("Asia/Shanghai", _BOOKING.c.starts_at))
    statement = (
        select(day)
        .where(
            _BOOKING.c.applicant_id == applicant_id,
            _BOOKING.c.facility_id == facility_id,
            _BOOKING.c.state == BookingState.missed,
        )
        .order_by(_BOOKING.c.starts_at.desc())
        .limit(limit)
    )
    return list(await session.scalars(statement))


async def find(session: AsyncSession, booking_id: UUID, *, lock: bool = False) -> Any | None:
    """A booking with its resource and place; with `lock`, nobody else changes it."""
    statement = _bookings().where(_BOOKING.c.id == booking_id)
    if lock:
        statement = statement.with_for_update(of=_BOOKING)
    return (await session.execute(statement)).one_or_none()


async def add(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write a new booking."""
    await session.execute(insert(_BOOKING).values(values))


async def change(session: AsyncSession, booking_id: UUID, values: dict[str, Any]) -> None:
    """Write the next version of a booking whose row is locked."""
    await session.execute(update(_BOOKING).where(_BOOKING.c.id == booking_id).values(values))


async def append_history(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write down what happened."""
    await session.execute(insert(_HISTORY).values(values))


async def list_history(session: AsyncSession, booking_id: UUID) -> Sequence[Any]:
    """What happened to a booking, oldest first."""
    statement = select(_HISTORY).where(_HISTORY.c.booking_id == booking_id)
    return (await session.execute(statement.order_by(_HISTORY.c.version))).all()


async def list_own(
    session: AsyncSession, applicant_id: UUID, *, before: UUID | None, limit: int
) -> Sequence[Any]:
    """A person's bookings, the newest first."""
    statement = _bookings().where(_BOOKING.c.applicant_id == applicant_id)
    if before is not None:
        statement = statement.where(_BOOKING.c.id < before)
    statement = statement.order_by(_BOOKING.c.id.desc()).limit(limit)
    rows: Sequence[Any] = (await session.execute(statement)).all()
    return rows


async def list_between(
    session: AsyncSession,
    resource_id: UUID,
    first: datetime,
    last: datetime,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Bookings of a resource by their beginning."""
    starts_at, identifier = _BOOKING.c.starts_at, _BOOKING.c.id
    statement = _bookings().where(_BOOKING.c.resource_id == resource_id)
    statement = statement.where(starts_at >= first, starts_at < last)
    if after is not None:
        moment, last_id = after
        statement = statement.where(
            (starts_at > moment) | ((starts_at == moment) & (identifier > last_id))
        )
    statement = statement.order_by(starts_at, identifier).limit(limit)
    rows: Sequence[Any] = (await session.execute(statement)).all()
    return rows


def _waiting(resource_id: UUID, starts_at: datetime) -> tuple[Any, ...]:
    return (
        _BOOKING.c.resource_id == resource_id,
        _BOOKING.c.starts_at == starts_at,
        _BOOKING.c.state == BookingState.waiting,
    )


def _bookings() -> Select[Any]:
    return select(
        _BOOKING,
        func.coalesce(_COUNTER.c.name, _ROOM.c.name).label("resource_name"),
        _RESOURCE.c.hold_minutes,
        _RESOURCE.c.cancel_minutes,
        _RESOURCE.c.reminder_hours,
        _RESOURCE.c.no_show_limit,
        _RESOURCE.c.block_days,
        _FACILITY.c.name.label("facility_name"),
        _FACILITY.c.address,
        _FACILITY.c.division_code,
    ).select_from(
        _BOOKING.join(_RESOURCE, _RESOURCE.c.id == _BOOKING.c.resource_id)
        .join(_FACILITY, _FACILITY.c.id == _BOOKING.c.facility_id)
        .outerjoin(_COUNTER, _COUNTER.c.id == _RESOURCE.c.counter_id)
        .outerjoin(_ROOM, _ROOM.c.id == _RESOURCE.c.room_id)
    )
