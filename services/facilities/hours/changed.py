"""What is looked at again when the hours of places change: the worker does so by a timer."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import division_prefix
from servicekit import outbox
from servicekit.timers import set_timer
from services.facilities.models import Base

#: The subject is the facility.
PLACE_CHANGED = "place-changed"

_FACILITY = Base.metadata.tables["facility"]
_RESOURCE = Base.metadata.tables["booking_resource"]


async def note_place(session: AsyncSession, facility_id: UUID) -> None:
    """A place, or what is inside it, has changed; its row is locked."""
    booked = select(_RESOURCE.c.id).where(_RESOURCE.c.facility_id == facility_id).limit(1)
    if (await session.execute(booked)).first() is not None:
        await set_timer(session, PLACE_CHANGED, facility_id, outbox.now())


async def note_calendar(session: AsyncSession, division_code: str | None) -> None:
    """The working days of a division, or of the country, have changed."""
    statement = select(_FACILITY.c.id).where(
        _FACILITY.c.holiday_policy.is_not(None),
        _FACILITY.c.id.in_(select(_RESOURCE.c.facility_id)),
    )
    if division_code is not None:
        statement = statement.where(
            _FACILITY.c.division_code.startswith(division_prefix(division_code))
        )
    for facility_id in await session.scalars(statement.order_by(_FACILITY.c.id)):
        await set_timer(session, PLACE_CHANGED, facility_id, outbox.now())
