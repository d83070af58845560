"""差评申诉: ratings a unit holds to be mistaken or malicious, and the limits of each division."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from services.evaluation.models.base import Base, one_of, timestamp


class DisputeGround(StrEnum):
    """What a unit says is wrong with a rating."""

    mistaken = "mistaken"  # 误评
    malicious = "malicious"  # 恶意差评


class DisputeState(StrEnum):
    """Where a dispute stands."""

    open = "open"
    upheld = "upheld"
    rejected = "rejected"


class Dispute(Base, table=True):
    """One dispute; a rating is disputed at most once, and its ruling reversed at most once."""

    __tablename__ = "dispute"
    __table_args__ = (
        one_of("ground", DisputeGround),
        one_of("state", DisputeState),
        Index("uq_dispute_rating", "rating_id", unique=True),
        Index(
            "ix_dispute_open",
            "responsible_division",
            "raised_at",
            "id",
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: UUID = Field(primary_key=True)
    rectification_id: UUID = Field(foreign_key="rectification.id")
    rating_id: UUID = Field(foreign_key="rating.id")
    unit_code: str | None = None
    responsible_division: str
    ground: str
    #: Encrypted: it may name people.
    statement: str
    state: str
    version: int
    raised_by: UUID
    raised_by_name: str | None = None
    raised_at: datetime = timestamp()
    ruled_by: UUID | None = None
    ruled_by_name: str | None = None
    ruled_unit: str | None = None
    ruled_at: datetime | None = timestamp(nullable=True)
    #: Encrypted.
    ruling: str | None = None
    reversed_by: UUID | None = None
    reversed_by_name: str | None = None
    reversed_at: datetime | None = timestamp(nullable=True)
    #: Encrypted.
    reversal: str | None = None


class DivisionLimits(Base, table=True):
    """Limits of one division and those below it; the nearest one above a unit holds."""

    __tablename__ = "division_limits"

    division_code: str = Field(primary_key=True)
    #: Working days from a bad rating to the reply.
    rectification_days: int
    #: Working days before the due day on which the light turns yellow.
    warn_days: int
    #: 限期整改 at most this many working days.
    fix_by_days: int
    #: One extension adds at most this many working days; how many extensions there may be.
    extension_days: int
    extensions: int
    #: Working days from the reply to the first call-back.
    call_back_within_days: int
    source: str
    version: int
    changed_by: UUID
    changed_at: datetime = timestamp()
