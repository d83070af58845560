"""Queries of bookings, of their history, and of what a person has booked."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    func,
    insert,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base, BookingState

_RESOURCE = Base.metadata.tables["booking_resource"]
_BOOKING = Base.metadata.tables["booking"]
_HISTORY = Base.metadata.tables["booking_history"]
_FACILITY = Base.metadata.tables["facility"]
_COUNTER = Base.metadata.tables["counter"]
_ROOM = Base.metadata.tables["room"]
_OPEN = (BookingState.held, BookingState.waiting, BookingState.confirmed)
#: Who lost a place to a change of hours comes first, then who waits longest.
_TURN = (_BOOKING.c.replaces_id.is_(None), _BOOKING.c.id)
PERSON_LOCK = 7_304

_ONE_PERSON = text("SELECT pg_advisory_xact_lock(hashtextextended(:person, :lock))")


async def lock_person(session: AsyncSession, applicant_id: UUID) -> None:
    """One request of a person at a time, so that the rules for a person hold."""
    await session.execute(_ONE_PERSON, {"person": str(applicant_id), "lock": PERSON_LOCK})


async def first_waiting(
    session: AsyncSession, resource_id: UUID, starts_at: datetime
) -> Any | None:
    """Whose turn it is when a place of a slot comes free; the row is locked."""
    statement = (
        select(_BOOKING)
        .where(*_waiting(resource_id, starts_at))
        .order_by(*_TURN)
        .limit(1)
        .with_for_update()
    )
    return (await session.execute(statement)).one_or_none()


async def count_waiting(
    session: AsyncSession, resource_id: UUID, starts_at: datetime, *, before: Any | None = None
) -> int:
    """How many wait for a slot, or come before one of them."""
    statement = select(func.count()).select_from(_BOOKING).where(*_waiting(resource_id, starts_at))
    if before is not None:
        statement = statement.where(tuple_(*_TURN) < tuple_(before.replaces_id is None, before.id))
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


async def list_coming(session: AsyncSession, facility_id: UUID, now: datetime) -> Sequence[Any]:
    """Open bookings of a place that have not begun and follow its hours, by their beginning."""
    statement = (
        select(
            _BOOKING.c.id,
            _BOOKING.c.resource_id,
            _BOOKING.c.state,
            _BOOKING.c.starts_at,
            _BOOKING.c.ends_at,
        )
        .where(
            _BOOKING.c.facility_id == facility_id,
            _BOOKING.c.state.in_(_OPEN),
            _BOOKING.c.starts_at > now,
            _BOOKING.c.is_kept.is_(False),
        )
        .order_by(_BOOKING.c.starts_at, _BOOKING.c.id)
    )
    return (await session.execute(statement)).all()


async def lock_in(
    session: AsyncSession, booking_ids: Sequence[UUID], states: Collection[BookingState]
) -> Sequence[Any]:
    """Those of these bookings that are in one of the states, locked in one order."""
    statement = (
        _bookings()
        .where(_BOOKING.c.id.in_(booking_ids), _BOOKING.c.state.in_(states))
        .order_by(_BOOKING.c.id)
        .with_for_update(of=_BOOKING)
    )
    rows: Sequence[Any] = (await session.execute(statement)).all()
    return rows


async def is_replaced(session: AsyncSession, booking_id: UUID) -> bool:
    """Whether another booking stands, or stood, in place of one; who waited in vain may try again."""
    statement = select(_BOOKING.c.id).where(
        _BOOKING.c.replaces_id == booking_id, _BOOKING.c.state != BookingState.expired
    )
    return (await session.execute(statement.limit(1))).first() is not None


async def list_displaced(
    session: AsyncSession,
    facility_id: UUID,
    first: datetime,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Bookings of a place that its hours displaced, with what stands in their place, by time."""
    new = _BOOKING.alias("new")
    instead = (
        select(new.c.id, new.c.code, new.c.state, new.c.starts_at, new.c.resource_id)
        .where(new.c.replaces_id == _BOOKING.c.id)
        .order_by(new.c.id.desc())
        .limit(1)
        .correlate(_BOOKING)
        .lateral("instead")
    )
    statement = (
        _bookings(instead)
        .add_columns(
            instead.c.code.label("new_code"),
            instead.c.state.label("new_state"),
            instead.c.starts_at.label("new_starts_at"),
        )
        .where(
            _BOOKING.c.facility_id == facility_id,
            _BOOKING.c.displaced_because.is_not(None),
            _BOOKING.c.starts_at >= first,
            *_later_than(after),
        )
        .order_by(_BOOKING.c.starts_at, _BOOKING.c.id)
        .limit(limit)
    )
    rows: Sequence[Any] = (await session.execute(statement)).all()
    return rows


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
    statement = statement.where(starts_at >= first, starts_at < last, *_later_than(after))
    statement = statement.order_by(starts_at, identifier).limit(limit)
    rows: Sequence[Any] = (await session.execute(statement)).all()
    return rows


def _later_than(after: tuple[datetime, UUID] | None) -> tuple[ColumnElement[bool], ...]:
    """Where a page by time goes on."""
    return () if after is None else (tuple_(_BOOKING.c.starts_at, _BOOKING.c.id) > after,)


def _waiting(resource_id: UUID, starts_at: datetime) -> tuple[Any, ...]:
    return (
        _BOOKING.c.resource_id == resource_id,
        _BOOKING.c.starts_at == starts_at,
        _BOOKING.c.state == BookingState.waiting,
    )


def _bookings(beside: FromClause | None = None) -> Select[Any]:
    joined = (
        _BOOKING.join(_RESOURCE, _RESOURCE.c.id == _BOOKING.c.resource_id)
        .join(_FACILITY, _FACILITY.c.id == _BOOKING.c.facility_id)
        .outerjoin(_COUNTER, _COUNTER.c.id == _RESOURCE.c.counter_id)
        .outerjoin(_ROOM, _ROOM.c.id == _RESOURCE.c.room_id)
    )
    if beside is not None:
        joined = joined.outerjoin(beside, true())
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
    ).select_from(joined)
