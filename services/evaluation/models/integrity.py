"""Doubtful ratings: what was found, who looked at it, and the numbers of staff themselves."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.evaluation.models.base import Base, one_of, timestamp


class Detector(StrEnum):
    """What made a rating doubtful."""

    window_burst = "window-burst"
    same_device = "same-device"
    same_phone = "same-phone"
    too_quick = "too-quick"
    staff_number = "staff-number"
    identical_words = "identical-words"
    pressure_words = "pressure-words"


class FlagState(StrEnum):
    """What became of a doubt."""

    open = "open"
    kept = "kept"
    excluded = "excluded"


class IntegrityFlag(Base, table=True):
    """One doubt about one rating; the rating counts until somebody has looked."""

    __tablename__ = "integrity_flag"
    __table_args__ = (
        UniqueConstraint("rating_id", "detector"),
        one_of("detector", Detector),
        one_of("state", FlagState),
        Index(
            "ix_integrity_flag_open",
            "responsible_division",
            "flagged_at",
            "id",
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: UUID = Field(primary_key=True)
    rating_id: UUID = Field(foreign_key="rating.id")
    unit_code: str | None = None
    responsible_division: str
    detector: str
    #: Counts and thresholds, never whose.
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    state: str
    flagged_at: datetime = timestamp()
    reviewed_by: UUID | None = None
    reviewed_by_name: str | None = None
    reviewed_unit: str | None = None
    reviewed_at: datetime | None = timestamp(nullable=True)
    #: Encrypted.
    reason: str | None = None


class StaffNumberKind(StrEnum):
    """How a staff member might rate their own unit."""

    mobile = "mobile"
    device = "device"
    account = "account"


class StaffNumber(Base, table=True):
    """Keyed hash of a number of a unit's staff: what is rated with it is refused or doubted."""

    __tablename__ = "staff_number"
    __table_args__ = (
        UniqueConstraint("unit_code", "kind", "hash"),
        one_of("kind", StaffNumberKind),
        Index("ix_staff_number_hash", "hash"),
    )

    id: UUID = Field(primary_key=True)
    unit_code: str
    kind: str
    hash: bytes = Field(sa_type=LargeBinary)
    added_by: UUID
    added_at: datetime = timestamp()


class ScanPosition(Base, table=True):
    """Up to which rating the detectors have looked."""

    __tablename__ = "scan_position"

    name: str = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)
