"""Who else belongs to a request, and what was begun but not handed in."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, text
from sqlmodel import Field

from services.requests.models.base import Base, jsonb, timestamp


class PartyRole(StrEnum):
    """In which capacity somebody belongs to a request beside the applicant named on it."""

    agent = "agent"  # 代理人
    organisation = "organisation"  # 申请单位
    claimant = "claimant"  # 本人认领: the applicant's own account, of a request others handed in


_ROLES = ", ".join(f"'{role}'" for role in PartyRole)


class RequestParty(Base, table=True):
    """One more party; only requests that have one have a row. Personal data encrypted."""

    __tablename__ = "request_party"
    __table_args__ = (
        CheckConstraint(f"role IN ({_ROLES})", name="role"),
        Index("uq_request_party_role", "request_id", "role", unique=True),
        Index(
            "ix_request_party_account",
            "account_id",
            "request_id",
            postgresql_where=text("account_id IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    request_id: UUID = Field(foreign_key="citizen_request.id")
    role: str
    account_id: UUID | None = None
    name: str | None = None
    identity_number: str | None = None
    identity_index: bytes | None = Field(default=None, sa_type=LargeBinary, index=True)
    mobile: str | None = None
    mobile_index: bytes | None = Field(default=None, sa_type=LargeBinary, index=True)
    #: 统一社会信用代码 of an organisation: public, not personal data.
    uscc: str | None = Field(default=None, index=True)
    relation: str | None = None
    #: On what the agent's power rests, and the document that shows it.
    authority: dict[str, Any] | None = jsonb(nullable=True)
    #: The last day of an agent's power; None while it stands.
    valid_until: date | None = None
    #: When the account that speaks here came to it by a claim; None when it handed the request in.
    claimed_at: datetime | None = timestamp(nullable=True)


class RequestBundle(Base, table=True):
    """一件事: the bundle a request was handed in as, in the version it had."""

    __tablename__ = "request_bundle"

    request_id: UUID = Field(primary_key=True, foreign_key="citizen_request.id")
    bundle_id: UUID
    bundle_code: str
    version: int


class ClaimAttempt(Base, table=True):
    """认领的尝试: how often somebody tried since a moment, by account and by request."""

    __tablename__ = "claim_attempt"

    #: `account:<id>` or `request:<id>`.
    subject: str = Field(primary_key=True)
    attempts: int
    counted_from: datetime = timestamp()


class RequestDraft(Base, table=True):
    """草稿: what a resident has filled in so far; encrypted, forgotten when it expires."""

    __tablename__ = "request_draft"
    __table_args__ = (Index("ix_request_draft_account", "account_id", "id"),)

    id: UUID = Field(primary_key=True)
    account_id: UUID
    #: What it is about, for the list; no personal data.
    item_codes: list[str] = jsonb()
    body: str
    version: int = 1
    updated_at: datetime = timestamp()
    expires_at: datetime = timestamp()
