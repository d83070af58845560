"""Assessment (考核): indicators told by facilities, schemes as data, score cards and proposals."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.evaluation.models.base import Base, one_of, timestamp


class AssessedKind(StrEnum):
    """Who is assessed."""

    community = "community"  # 村（社区）
    unit = "unit"


class ProposalKind(StrEnum):
    """What a ranking leads to."""

    talk = "talk"  # 约谈
    incentive = "incentive"  # 激励


class ProposalState(StrEnum):
    """Nothing follows from a ranking by itself: somebody decides."""

    proposed = "proposed"
    confirmed = "confirmed"
    dismissed = "dismissed"


class IndicatorCopy(Base, table=True):
    """An indicator of a division and month as facilities last told it."""

    __tablename__ = "indicator_copy"
    __table_args__ = (Index("ix_indicator_copy_month", "indicator_code", "month"),)

    division_code: str = Field(primary_key=True)
    indicator_code: str = Field(primary_key=True)
    month: date = Field(primary_key=True)
    numerator: float
    denominator: float
    value: float | None = None
    unit: str
    missing: int
    revision: int


class AssessmentScheme(Base, table=True):
    """考核办法: one version, never changed; cards say which version they were made by."""

    __tablename__ = "assessment_scheme"
    __table_args__ = (UniqueConstraint("code", "version"), one_of("assessed", AssessedKind))

    id: UUID = Field(primary_key=True)
    code: str
    version: int
    division_code: str
    title: str
    assessed: str
    #: What is counted, with weights and bounds: see `assessments.schemas.Indicator`.
    indicators: list[dict[str, Any]] = Field(sa_type=JSONB)
    #: Consecutive months at the end of the ranking that lead to a proposal of 约谈.
    months_last: int
    #: Places at the head that lead to a proposal of an incentive; 0 for none.
    incentive_places: int
    #: Its first month.
    valid_from: date
    created_by: UUID
    created_at: datetime = timestamp()


class AssessmentCard(Base, table=True):
    """成绩单 of one subject and month."""

    __tablename__ = "assessment_card"
    __table_args__ = (Index("ix_assessment_card_ranking", "code", "month", "place", "subject_id"),)

    code: str = Field(primary_key=True)
    month: date = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
    scheme_id: UUID = Field(foreign_key="assessment_scheme.id")
    subject_name: str | None = None
    #: 0 to 100; null where too little is known to compare.
    points: float | None = None
    #: 1 is best, equals share a place; those without points come last, as 2147483647.
    place: int
    #: Whether it is at the end of those ranked.
    is_last: bool
    parts: list[dict[str, Any]] = Field(sa_type=JSONB)
    made_at: datetime = timestamp()


class AssessmentProposal(Base, table=True):
    """约谈 or an incentive, proposed by the rule and decided by a person."""

    __tablename__ = "assessment_proposal"
    __table_args__ = (
        UniqueConstraint("code", "month", "subject_id", "kind"),
        one_of("kind", ProposalKind),
        one_of("state", ProposalState),
        Index("ix_assessment_proposal_division", "division_code", "id"),
    )

    id: UUID = Field(primary_key=True)
    code: str
    division_code: str
    #: The month that led to it.
    month: date
    subject_id: str
    subject_name: str | None = None
    kind: str
    state: str
    version: int
    reason: str | None = None
    decided_by: UUID | None = None
    decided_at: datetime | None = timestamp(nullable=True)
