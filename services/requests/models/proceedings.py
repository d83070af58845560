"""What gathers round a case on its way: pauses, opinions, follow-ups, payments, notices, colleagues."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field

from services.requests.models.base import Base, jsonb, timestamp


class CasePause(Base, table=True):
    """特别程序: a time in which the limit stands still."""

    __tablename__ = "case_pause"

    case_id: UUID = Field(primary_key=True, foreign_key="service_case.id")
    number: int = Field(primary_key=True)
    procedure: str
    reason: str
    started_on: date
    #: What the applicant was told in writing.
    expected_until: date | None = None
    ended_on: date | None = None
    #: Days of the limit's unit that are not counted; null while it is open.
    days: int | None = None
    outcome: str | None = None


class CaseOpinion(Base, table=True):
    """并联会签: a unit that was asked before the one decision, and what it said."""

    __tablename__ = "case_opinion"
    __table_args__ = (
        Index(
            "ix_case_opinion_wanted",
            "unit_code",
            "case_id",
            postgresql_where=text("agrees IS NULL"),
        ),
    )

    case_id: UUID = Field(primary_key=True, foreign_key="service_case.id")
    unit_code: str = Field(primary_key=True)
    unit_name: str
    asked_at: datetime = timestamp()
    agrees: bool | None = None
    opinion: str | None = None
    given_by: str | None = None
    given_at: datetime | None = timestamp(nullable=True)


class CaseFollowUp(Base, table=True):
    """容缺后补 and 告知承诺: what was promised when a case was accepted without it."""

    __tablename__ = "case_follow_up"
    __table_args__ = (
        CheckConstraint("kind IN ('deferred-material', 'commitment')", name="kind"),
        CheckConstraint("outcome IN ('kept', 'late', 'broken')", name="outcome"),
        Index("ix_case_follow_up_case", "case_id"),
        Index(
            "ix_case_follow_up_waiting", "due_on", "id", postgresql_where=text("ended_at IS NULL")
        ),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="service_case.id")
    kind: str
    material_code: str | None = None
    what: str
    due_on: date | None = None
    outcome: str | None = None
    note: str | None = None
    ended_at: datetime | None = timestamp(nullable=True)


class CasePayment(Base, table=True):
    """缴费: a fee that was paid, by its receipt."""

    __tablename__ = "case_payment"
    __table_args__ = (CheckConstraint("amount_cents > 0", name="amount_cents"),)

    case_id: UUID = Field(primary_key=True, foreign_key="service_case.id")
    receipt_number: str = Field(primary_key=True)
    #: 分.
    amount_cents: int = Field(sa_type=BigInteger)
    paid_on: date
    recorded_at: datetime = timestamp()


class CaseDocument(Base, table=True):
    """通知书: issued once, with date and number; without names, which are drawn in when shown."""

    __tablename__ = "case_document"
    __table_args__ = (Index("ix_case_document_case", "case_id", "id"),)

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="service_case.id")
    kind: str
    number: str = Field(unique=True)
    issuer: str
    case_version: int
    issued_on: date
    #: Version of the template that it was issued by.
    template: int
    facts: dict[str, Any] = jsonb()


class UnitMember(Base, table=True):
    """Somebody seen at work in a unit: to whom a case can be handed over."""

    __tablename__ = "unit_member"

    unit_code: str = Field(primary_key=True)
    account_id: UUID = Field(primary_key=True)
    name: str
    seen_at: datetime = timestamp()
