"""Admission (准入): what departments hand to villages, its caps, opinions, use and proposals."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.catalogue.models.base import Base, jsonb, moment, one_of, written_at


class AdmissionKind(StrEnum):
    """工作事项, 填报表格, 考核评比, 印章使用."""

    item = "item"
    form = "form"
    assessment = "assessment"
    seal_use = "seal-use"


class AdmissionState(StrEnum):
    """Where a proposal stands on its path, and what became of it."""

    #: 依据审核: proposed, the county looks at the basis.
    proposed = "proposed"
    #: 经费和条件: the department says who pays and what it provides.
    funding = "funding"
    #: 征求意见: townships say whether their villages can carry it.
    consulting = "consulting"
    #: 县级审批.
    deciding = "deciding"
    admitted = "admitted"
    refused = "refused"
    withdrawn = "withdrawn"
    expired = "expired"
    ended = "ended"


class Admission(Base, table=True):
    """One proposal of a department, from its basis to its end."""

    __tablename__ = "admission"
    __table_args__ = (
        CheckConstraint(one_of("kind", AdmissionKind), name="kind"),
        CheckConstraint(one_of("state", AdmissionState), name="state"),
        CheckConstraint("(kind = 'item') = (item_id IS NOT NULL)", name="item_of_kind"),
        CheckConstraint(
            "state NOT IN ('admitted', 'expired', 'ended') OR "
            "(approval_number IS NOT NULL AND valid_from IS NOT NULL AND valid_until IS NOT NULL)",
            name="approved_with_dates",
        ),
        Index(
            "uq_admission_item_in_hand",
            "division_code",
            "item_id",
            unique=True,
            postgresql_where=text("state NOT IN ('refused', 'withdrawn', 'expired', 'ended')"),
        ),
        Index("ix_admission_division_code_kind_state", "division_code", "kind", "state"),
    )

    id: UUID = Field(primary_key=True)
    kind: str
    name: str
    item_id: UUID | None = Field(default=None, foreign_key="item.id", index=True)
    #: The county.
    division_code: str
    department: str
    state: str
    #: Grows with every change of the row; travels as ETag and If-Match.
    version: int
    #: What the proposal says: basis, duties, procedure, funds, conditions.
    content: dict[str, Any] = jsonb()
    #: Account of whoever proposed it; they may not admit it.
    proposer: str
    #: Townships that were asked, and until when they may answer.
    townships: list[str] = jsonb()
    consult_until: date | None = None
    #: 准入批准文号.
    approval_number: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    #: The day of the next yearly review.
    review_on: date | None = None
    created_at: datetime = written_at()
    changed_at: datetime = written_at()


class AdmissionOpinion(Base, table=True):
    """What a township says of a proposal."""

    __tablename__ = "admission_opinion"

    admission_id: UUID = Field(primary_key=True, foreign_key="admission.id")
    township: str = Field(primary_key=True)
    supports: bool
    words: str
    officer: str
    officer_name: str | None = None
    given_at: datetime = written_at()


class AdmissionHistory(Base, table=True):
    """Who did what to an admission and why; append-only."""

    __tablename__ = "admission_history"

    id: UUID = Field(primary_key=True)
    admission_id: UUID = Field(foreign_key="admission.id", index=True)
    action: str
    from_state: str | None = None
    to_state: str
    actor: str
    actor_name: str | None = None
    reason: str | None = None
    happened_at: datetime = written_at()


class AdmissionCap(Base, table=True):
    """总量控制: how many of a kind a county lets be handed to its villages at once."""

    __tablename__ = "admission_cap"
    __table_args__ = (
        CheckConstraint(one_of("kind", AdmissionKind), name="kind"),
        CheckConstraint("most >= 0", name="most"),
    )

    division_code: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    most: int
    version: int
    document: str
    changed_by: str
    changed_at: datetime = written_at()


class ItemUse(Base, table=True):
    """Cases of an item by county and month, counted from the events of requests."""

    __tablename__ = "item_use"

    item_id: UUID = Field(primary_key=True)
    division_code: str = Field(primary_key=True)
    month: date = Field(primary_key=True)
    cases: int = Field(sa_type=BigInteger)


class ProposalKind(StrEnum):
    """退出建议, 新增事项建议."""

    end_admission = "end-admission"
    offer_item = "offer-item"


class ProposalState(StrEnum):
    open = "open"
    accepted = "accepted"
    dismissed = "dismissed"


class Proposal(Base, table=True):
    """What the figures suggest; a person decides."""

    __tablename__ = "proposal"
    __table_args__ = (
        CheckConstraint(one_of("kind", ProposalKind), name="kind"),
        CheckConstraint(one_of("state", ProposalState), name="state"),
        Index(
            "uq_proposal_open",
            "division_code",
            "kind",
            "subject",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        UniqueConstraint("division_code", "kind", "subject", "source"),
    )

    id: UUID = Field(primary_key=True)
    #: The county it is made to.
    division_code: str
    kind: str
    #: The admission's id, or the words residents used.
    subject: str
    name: str
    admission_id: UUID | None = Field(default=None, foreign_key="admission.id")
    #: What it was made from: a list of needs, or the day of the figures.
    source: str
    #: Each with its ground and figures.
    grounds: list[dict[str, Any]] = jsonb()
    state: str
    version: int
    decided_by: str | None = None
    decided_by_name: str | None = None
    reason: str | None = None
    decided_at: datetime | None = moment()
    created_at: datetime = written_at()
