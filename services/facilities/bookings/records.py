"""A booking in its several shapes: row, answer, and event."""

from datetime import datetime
from typing import Any

from servicekit import outbox
from services.facilities.bookings.rules import clock, end_clock, local_day
from services.facilities.bookings.schemas import BookingRead

#: Without letters and digits that look alike or sound alike.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8


def read_of(row: Any, *, waiting_position: int | None = None) -> BookingRead:
    """The answer that shows a booking."""
    return BookingRead.model_validate({**row._mapping, "waiting_position": waiting_position})


def facts_of(row: Any) -> dict[str, Any]:
    """What every event about a booking tells."""
    return {
        "booking_id": row.id,
        "booking_code": row.code,
        "applicant_id": row.applicant_id,
        "resource_id": row.resource_id,
        "resource_name": row.resource_name,
        "facility_id": row.facility_id,
        "facility_name": row.facility_name,
        "address": row.address,
        "division_code": row.division_code,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "day": local_day(row.starts_at),
        "from_time": clock(row.starts_at),
        "until_time": end_clock(row.starts_at, row.ends_at),
        "occurred_at": outbox.now(),
    }


def confirm_by(expires_at: datetime) -> dict[str, Any]:
    """Until when a place that moved up must be confirmed."""
    return {
        "confirm_by": expires_at,
        "confirm_by_day": local_day(expires_at),
        "confirm_by_time": clock(expires_at),
    }
