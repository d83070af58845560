"""How a rating may be given without signing in: invitations, devices, paper, and guesses counted."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from services.evaluation.models.base import Base, number, one_of, timestamp
from services.evaluation.models.ratings import RatingChannel


class Invitation(Base, table=True):
    """一次性评价凭证: the signed token that names this row rates one service once."""

    __tablename__ = "invitation"
    __table_args__ = (
        one_of("channel", RatingChannel),
        Index("ix_invitation_evaluable", "evaluable_id"),
        Index(
            "ix_invitation_device",
            "device_id",
            "issued_at",
            postgresql_where=text("device_id IS NOT NULL AND used_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    evaluable_id: UUID = Field(foreign_key="evaluable.id")
    channel: str
    issued_at: datetime = timestamp()
    #: The last day it can be used.
    expires_on: date
    #: Staff who issued it; null when the resident asked for it.
    issued_by: UUID | None = None
    #: The window device or terminal it is shown on.
    device_id: UUID | None = Field(default=None, foreign_key="rating_device.id")
    used_at: datetime | None = timestamp(nullable=True)


class DeviceKind(StrEnum):
    """评价器 at a window, or a 自助终端."""

    window = "window"
    self_service_terminal = "self-service-terminal"


class RatingDevice(Base, table=True):
    """A device of a unit that may show a service to rate; it signs in with a token of its own."""

    __tablename__ = "rating_device"
    __table_args__ = (
        one_of("kind", DeviceKind),
        Index("ix_rating_device_unit", "unit_code", "id"),
    )

    id: UUID = Field(primary_key=True)
    kind: str
    name: str
    unit_code: str
    window_code: str | None = None
    facility_id: UUID | None = None
    #: Grows when a new token is issued; older ones are refused.
    token_version: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    registered_by: UUID
    registered_at: datetime = timestamp()
    retired_at: datetime | None = timestamp(nullable=True)


class RatingBatch(Base, table=True):
    """书面评价表: ratings typed in from scanned paper, in one go."""

    __tablename__ = "rating_batch"

    id: UUID = Field(primary_key=True)
    division_code: str
    entered_by: UUID
    entered_name: str | None = None
    entered_unit: str | None = None
    entered_at: datetime = timestamp()
    taken: int = number()


class CodeAttempts(Base, table=True):
    """Wrong look-up codes for one case number since a moment; too many, and it is closed a while."""

    __tablename__ = "code_attempts"

    case_number: str = Field(primary_key=True)
    failures: int
    counted_from: datetime = timestamp()


class Attachment(Base, table=True):
    """A scan or a piece of evidence: encrypted, for it may show a person."""

    __tablename__ = "attachment"
    __table_args__ = (
        one_of("owner_kind", ("batch", "dispute")),
        Index("ix_attachment_owner", "owner_id"),
        Index("ix_attachment_sha256", "sha256"),
    )

    id: UUID = Field(primary_key=True)
    owner_kind: str
    owner_id: UUID
    media_type: str
    size_bytes: int
    #: Of the file as it was sent, hexadecimal.
    sha256: str
    #: Base64, encrypted.
    content: str
    added_by: UUID
    added_at: datetime = timestamp()
