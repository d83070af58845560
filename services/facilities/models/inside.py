"""What is inside a facility: rooms, counters and what they take, devices, pictures."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.facilities.models.base import Base, jsonb, one_of, square_metres, timestamp

DEVICE_KINDS = ("self-service-terminal", "number-machine", "broadcast", "aed", "other")
DEVICE_STATES = ("never-seen", "online", "offline", "retired")
PAPER_STATES = ("ok", "low", "out")


class Room(Base, table=True):
    """A room with all its uses (一室多用): its area counts once, however many there are."""

    __tablename__ = "room"
    __table_args__ = (
        CheckConstraint("area_m2 > 0", name="area"),
        CheckConstraint("seats >= 0", name="seats"),
        Index("uq_room_facility_id_name", "facility_id", "name", unique=True),
    )

    id: UUID = Field(primary_key=True)
    facility_id: UUID = Field(foreign_key="facility.id")
    version: int = 1
    name: str
    area_m2: float | None = square_metres()
    seats: int | None = None
    #: Codes of the type dictionary, form `room`.
    uses: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs={"nullable": False})
    recorded_at: datetime = timestamp()


class Counter(Base, table=True):
    """A counter (窗口) where items are taken."""

    __tablename__ = "counter"
    __table_args__ = (Index("uq_counter_facility_id_name", "facility_id", "name", unique=True),)

    id: UUID = Field(primary_key=True)
    facility_id: UUID = Field(foreign_key="facility.id")
    version: int = 1
    name: str
    is_open: bool = True
    #: Intervals by weekday where they differ from the facility's.
    weekly_hours: dict[str, Any] | None = jsonb(nullable=True)
    recorded_at: datetime = timestamp()


class CounterItem(Base, table=True):
    """An item of the catalogue that a counter takes."""

    __tablename__ = "counter_item"
    __table_args__ = (Index("ix_counter_item_item_id", "item_id", "facility_id"),)

    counter_id: UUID = Field(primary_key=True, foreign_key="counter.id")
    item_id: UUID = Field(primary_key=True)
    facility_id: UUID = Field(foreign_key="facility.id")


class Device(Base, table=True):
    """A device; one with a key tells by heartbeat that it lives."""

    __tablename__ = "device"
    __table_args__ = (
        one_of("kind", DEVICE_KINDS),
        one_of("state", DEVICE_STATES),
        one_of("paper", PAPER_STATES),
        Index("ix_device_facility_id", "facility_id"),
        Index("uq_device_serial_number", "serial_number", unique=True),
        Index("uq_device_key_hash", "key_hash", unique=True),
    )

    id: UUID = Field(primary_key=True)
    facility_id: UUID = Field(foreign_key="facility.id")
    version: int = 1
    kind: str
    name: str
    serial_number: str
    state: str = "never-seen"
    paper: str | None = None
    fault: str | None = None
    #: SHA-256 of the device's key; null: it cannot report.
    key_hash: bytes | None = None
    last_seen_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    recorded_at: datetime = timestamp()


class DeviceStateChange(Base, table=True):
    """When a device came and went; appended, never changed."""

    __tablename__ = "device_state_change"
    __table_args__ = (Index("ix_device_state_change_device_id", "device_id", "happened_at"),)

    id: UUID = Field(primary_key=True)
    device_id: UUID = Field(foreign_key="device.id")
    state: str
    paper: str | None = None
    fault: str | None = None
    happened_at: datetime = timestamp()


class Photo(Base, table=True):
    """A picture of a facility; its bytes are in the object store under its id."""

    __tablename__ = "photo"
    __table_args__ = (
        CheckConstraint("size_bytes > 0", name="size"),
        Index("uq_photo_facility_id_sha256", "facility_id", "sha256", unique=True),
    )

    id: UUID = Field(primary_key=True)
    facility_id: UUID = Field(foreign_key="facility.id")
    content_type: str
    size_bytes: int
    sha256: str
    caption: str = Field(sa_column_kwargs={"server_default": text("''")})
    recorded_by: UUID
    recorded_at: datetime = timestamp()
