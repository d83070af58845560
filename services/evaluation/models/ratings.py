"""Ratings and the national tags they may carry."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, UniqueConstraint, text
from sqlmodel import Field

from contracts.values import RatingLevel
from services.evaluation.models.base import Base, flag, hashed, one_of, texts, timestamp


class RatingChannel(StrEnum):
    """评价渠道, by name; each province numbers them differently."""

    portal = "portal"
    mini_program = "mini-program"
    qr_code = "qr-code"
    window = "window"
    self_service_terminal = "self-service-terminal"
    sms = "sms"
    telephone = "telephone"
    paper = "paper"


class Origin(StrEnum):
    """Who gave a rating: the resident, or the system after silence (系统默认评价)."""

    resident = "resident"
    default = "default"


class RatingState(StrEnum):
    """Whether a rating counts."""

    counted = "counted"
    #: Taken back by who gave it.
    withdrawn = "withdrawn"
    #: Left out after a review found it false or mistaken.
    excluded = "excluded"


_HAS_DEVICE, _HAS_PHONE = text("device_hash IS NOT NULL"), text("phone_hash IS NOT NULL")
_HAS_WORDS = text("text_hash IS NOT NULL")


class RevisionAction(StrEnum):
    """How a given rating may change."""

    correct = "correct"
    withdraw = "withdraw"
    exclude = "exclude"
    restore = "restore"


class RatingTag(Base, table=True):
    """评价标签: versioned; a retired one stays readable in the ratings that carry it."""

    __tablename__ = "rating_tag"
    __table_args__ = (one_of("level", RatingLevel),)

    code: str = Field(primary_key=True)
    level: str
    #: The first version's wording is not known.
    text: str | None = None
    version: int
    #: Shown first, before the list is expanded.
    is_base: bool
    is_retired: bool = flag()


class PlatformCode(Base, table=True):
    """How a platform above writes a channel or a level: by number, and each in its own way."""

    __tablename__ = "platform_code"
    __table_args__ = (one_of("field", ("channel", "level")),)

    platform: str = Field(primary_key=True)
    field: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    #: Null where the platform has no code for it.
    code: str | None = None
    source: str


class Rating(Base, table=True):
    """评价 (assess number 1) or 追评 (2) of one evaluable service.

    The id is random and the day stands alone beside it for staff: a time-ordered id would tell
    them the very moment, and with it who was at the window.
    """

    __tablename__ = "rating"
    __table_args__ = (
        UniqueConstraint("evaluable_id", "assess_number"),
        CheckConstraint("assess_number IN (1, 2)", name="assess_number"),
        CheckConstraint("origin <> 'default' OR assess_number = 1", name="default_is_first"),
        one_of("origin", Origin),
        one_of("level", RatingLevel),
        one_of("channel", RatingChannel),
        one_of("state", RatingState),
        Index("ix_rating_unit", "unit_code", "position"),
        Index("ix_rating_division", "responsible_division", "position"),
        Index("ix_rating_device", "device_hash", "given_at", postgresql_where=_HAS_DEVICE),
        Index("ix_rating_phone", "phone_hash", "given_at", postgresql_where=_HAS_PHONE),
        Index("ix_rating_words", "text_hash", "given_at", postgresql_where=_HAS_WORDS),
    )

    id: UUID = Field(primary_key=True)
    position: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(), unique=True, nullable=False)
    )
    evaluable_id: UUID = Field(foreign_key="evaluable.id")
    assess_number: int
    origin: str = Origin.resident
    level: str
    tags: list[str] = texts()
    #: Free text, encrypted; staff see it screened.
    text: str | None = None
    #: Kinds of personal data the screening found, without the data.
    findings: list[str] = texts()
    channel: str | None = None
    given_at: datetime = timestamp()
    #: The local day of `given_at`.
    given_on: date
    item_id: UUID
    unit_code: str | None = None
    #: The unit's division, or the case's where no unit is known.
    responsible_division: str
    state: str = Field(
        default=RatingState.counted, sa_column_kwargs={"server_default": RatingState.counted}
    )
    #: What the rating counts for beside item and unit, as it was when the service was done.
    division_code: str | None = None
    service_number: int | None = None
    service_channel: str | None = None
    window_code: str | None = None
    handler_id: UUID | None = None
    facility_id: UUID | None = None
    #: Keyed hashes of the device, the telephone and the words; what the review of falsity compares.
    device_hash: bytes | None = hashed()
    phone_hash: bytes | None = hashed()
    text_hash: bytes | None = hashed()
    #: Seconds from the end of the service to the rating; null where the end is not known.
    seconds_after: int | None = None
    #: Who typed in a rating given by telephone or on paper.
    entered_by: UUID | None = None
    entered_unit: str | None = None
    batch_id: UUID | None = None


class RatingRevision(Base, table=True):
    """What a rating was before it was corrected, withdrawn, excluded or restored: only appended."""

    __tablename__ = "rating_revision"
    __table_args__ = (
        UniqueConstraint("rating_id", "number"),
        one_of("action", RevisionAction),
    )

    id: UUID = Field(primary_key=True)
    rating_id: UUID = Field(foreign_key="rating.id")
    number: int
    action: str
    state_before: str
    state_after: str
    level_before: str
    level_after: str
    tags_before: list[str] = texts()
    #: Encrypted, as the rating's text is.
    text_before: str | None = None
    #: Why; encrypted.
    reason: str | None = None
    #: Null when the resident did it.
    actor_id: UUID | None = None
    actor_name: str | None = None
    actor_unit: str | None = None
    happened_at: datetime = timestamp()
