"""Who may see a booking, and who may change it."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongDivision, WrongPerson, WrongRole
from servicekit.errors import NotFound
from services.facilities.bookings import repository

#: Who works at counters.
STAFF = ("window-clerk", "village-agent", "facility-manager")


class BookingNotFound(NotFound):
    code, title = "booking-not-found", "没有这个预约"


async def locked(session: AsyncSession, booking_id: UUID) -> Any:
    """The row of a booking, held until the transaction ends.

    Raises:
        BookingNotFound: there is none.
    """
    row = await repository.find(session, booking_id, lock=True)
    if row is None:
        raise BookingNotFound
    return row


async def own(session: AsyncSession, caller: Caller, booking_id: UUID) -> Any:
    """The same, if it is the caller's own.

    Raises:
        BookingNotFound: there is none.
        WrongPerson: it is somebody else's.
    """
    row = await locked(session, booking_id)
    ensure_own(caller, row)
    return row


async def visible(session: AsyncSession, caller: Caller, booking_id: UUID) -> Any:
    """The row of a booking, for its resident or for the staff of its place.

    Raises:
        BookingNotFound: there is none.
        WrongPerson, WrongRole, WrongDivision: neither one's own nor of one's places.
    """
    row = await repository.find(session, booking_id)
    if row is None:
        raise BookingNotFound
    if caller.is_resident:
        ensure_own(caller, row)
    elif not caller.has(*STAFF, "auditor"):
        raise WrongRole
    elif not caller.covers(row.division_code):
        raise WrongDivision
    return row


def ensure_own(caller: Caller, row: Any) -> None:
    """Raises WrongPerson where a booking is somebody else's."""
    if row.applicant_id != caller.account_id:
        raise WrongPerson


def ensure_manager(caller: Caller, row: Any) -> None:
    """Raises WrongRole or WrongDivision for who does not manage the place."""
    if not caller.has("facility-manager"):
        raise WrongRole
    caller.ensure_covers(row.division_code)
