"""预约: what can be booked, slots that somebody took a place in, bookings and their history."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, text
from sqlmodel import Field

from services.facilities.models.base import Base, one_of, timestamp


class BookingState(StrEnum):
    """预约状态."""

    held = "held"  # 待确认: the place is kept until it expires
    waiting = "waiting"  # 候补
    confirmed = "confirmed"  # 已预约
    attended = "attended"  # 已到场
    missed = "missed"  # 爽约
    cancelled = "cancelled"  # 已取消
    expired = "expired"  # 逾期未确认


#: Those that take a place of their slot.
TAKING = (BookingState.held, BookingState.confirmed, BookingState.attended, BookingState.missed)
#: Those that a resident has before them.
OPEN = (BookingState.held, BookingState.waiting, BookingState.confirmed)


def _in(states: tuple[BookingState, ...]) -> str:
    return "state IN ({})".format(", ".join(f"'{state}'" for state in states))


class BookingResource(Base, table=True):
    """A counter or a room that takes bookings, with its rules."""

    __tablename__ = "booking_resource"
    __table_args__ = (
        CheckConstraint("num_nonnulls(counter_id, room_id) = 1", name="counter_or_room"),
        CheckConstraint("capacity BETWEEN 1 AND 1000", name="capacity"),
        CheckConstraint("slot_minutes BETWEEN 5 AND 1440", name="slot_minutes"),
        CheckConstraint(
            "least(days_ahead, hold_minutes, max_open, no_show_limit, block_days) >= 1 "
            "AND least(cancel_minutes, waiting_places, reminder_hours) >= 0",
            name="rules",
        ),
        Index("ix_booking_resource_facility_id", "facility_id", "id"),
        Index("uq_booking_resource_counter_id", "counter_id", unique=True),
        Index("uq_booking_resource_room_id", "room_id", unique=True),
    )

    id: UUID = Field(primary_key=True)
    facility_id: UUID = Field(foreign_key="facility.id")
    version: int = 1
    counter_id: UUID | None = Field(default=None, foreign_key="counter.id")
    room_id: UUID | None = Field(default=None, foreign_key="room.id")
    is_active: bool = True
    #: People at a time.
    capacity: int
    slot_minutes: int
    #: How many days ahead may be booked.
    days_ahead: int
    #: How long a place is kept for somebody who has not confirmed.
    hold_minutes: int
    #: Until how long before the beginning a resident may cancel.
    cancel_minutes: int
    #: How long a waiting list may be; 0: there is none.
    waiting_places: int
    reminder_hours: int
    #: Open bookings of one resident in this place.
    max_open: int
    #: So many no-shows within `block_days` stop a resident from booking in this place.
    no_show_limit: int
    block_days: int
    recorded_at: datetime = timestamp()


class BookingSlot(Base, table=True):
    """A slot that somebody has booked; `taken` counts places held, confirmed and used."""

    __tablename__ = "booking_slot"
    __table_args__ = (
        CheckConstraint("taken BETWEEN 0 AND capacity", name="never_overbooked"),
        CheckConstraint("ends_at > starts_at", name="ends_at"),
    )

    resource_id: UUID = Field(primary_key=True, foreign_key="booking_resource.id")
    starts_at: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    ends_at: datetime = timestamp()
    capacity: int
    taken: int = 0


class Booking(Base, table=True):
    """One resident's place in a slot, or in its waiting list. No name and no telephone."""

    __tablename__ = "booking"
    __table_args__ = (
        one_of("state", BookingState),
        CheckConstraint("(state = 'held') = (expires_at IS NOT NULL)", name="expires_at"),
        Index("uq_booking_code", "code", unique=True),
        Index(
            "uq_booking_applicant_id_starts_at",
            "applicant_id",
            "starts_at",
            unique=True,
            postgresql_where=text(_in(OPEN)),
        ),
        Index("ix_booking_applicant_id", "applicant_id", "id"),
        Index("ix_booking_resource_id_starts_at", "resource_id", "starts_at", "id"),
        Index(
            "ix_booking_missed",
            "applicant_id",
            "facility_id",
            "starts_at",
            postgresql_where=text("state = 'missed'"),
        ),
        Index(
            "ix_booking_coming",
            "facility_id",
            "starts_at",
            postgresql_where=text(_in(OPEN)),
        ),
        Index(
            "ix_booking_displaced",
            "facility_id",
            "starts_at",
            "id",
            postgresql_where=text("displaced_because IS NOT NULL"),
        ),
        Index(
            "uq_booking_replaces_id",
            "replaces_id",
            unique=True,
            postgresql_where=text("state <> 'expired'"),
        ),
    )

    id: UUID = Field(primary_key=True)
    version: int = 1
    #: What is shown at the counter.
    code: str
    resource_id: UUID = Field(foreign_key="booking_resource.id")
    facility_id: UUID = Field(foreign_key="facility.id")
    applicant_id: UUID
    state: str
    starts_at: datetime = timestamp()
    ends_at: datetime = timestamp()
    expires_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    #: Why the place took it back: its hours changed. Residents are told.
    displaced_because: str | None = None
    #: Until when a resident who lost a place may choose another one before others.
    rebook_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    #: The booking that this one is in place of.
    replaces_id: UUID | None = Field(default=None, foreign_key="booking.id")
    #: The place serves this one whatever its hours are.
    is_kept: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    recorded_at: datetime = timestamp()


class BookingHistory(Base, table=True):
    """What happened to a booking; appended, never changed."""

    __tablename__ = "booking_history"

    booking_id: UUID = Field(primary_key=True, foreign_key="booking.id")
    version: int = Field(primary_key=True)
    action: str
    from_state: str | None = None
    to_state: str
    #: None: the clock, or a place that became free.
    actor_id: UUID | None = None
    actor_name: str | None = None
    note: str | None = None
    happened_at: datetime = timestamp()
