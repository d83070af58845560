"""Tables owned by the gateway: identity data only. No service may read them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from servicekit.database import service_registry
from servicekit.personal_data import EncryptedColumn


class AccountKind(StrEnum):
    resident = "resident"
    staff = "staff"


class AccountStatus(StrEnum):
    active = "active"
    suspended = "suspended"


class RevocationReason(StrEnum):
    signed_out = "signed-out"
    token_reused = "token-reused"  # noqa: S105 - a reason, not a secret
    account_suspended = "account-suspended"


class Base(SQLModel, registry=service_registry()):
    """Metadata of the gateway alone."""


PHONE = EncryptedColumn("account", "phone")


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def _timestamp(*, default_now: bool = False, nullable: bool = False) -> Any:
    kwargs: dict[str, Any] = {"nullable": nullable}
    if default_now:
        kwargs["server_default"] = text("now()")
    return Field(default=None, sa_type=DateTime(timezone=True), sa_column_kwargs=kwargs)


class Account(Base, table=True):
    """A resident, known by telephone, or a member of staff, known to the identity provider."""

    __tablename__ = "account"
    __table_args__ = (
        _one_of("kind", AccountKind),
        _one_of("status", AccountStatus),
        CheckConstraint("(kind = 'resident') = (phone_index IS NOT NULL)", name="resident_phone"),
        CheckConstraint("(kind = 'staff') = (subject IS NOT NULL)", name="staff_subject"),
        UniqueConstraint("issuer", "subject"),
    )

    id: UUID = Field(primary_key=True)
    kind: str
    status: str
    phone: str | None = None
    phone_index: bytes | None = Field(default=None, sa_type=LargeBinary, unique=True)
    issuer: str | None = None
    subject: str | None = None
    display_name: str | None = None
    created_at: datetime = _timestamp(default_now=True)
    updated_at: datetime = _timestamp(default_now=True)


class SignInCode(Base, table=True):
    """A code sent to a telephone; neither the number nor the code is readable here."""

    __tablename__ = "sign_in_code"
    __table_args__ = (
        Index("ix_sign_in_code_phone", "phone_index", "created_at"),
        Index("ix_sign_in_code_address", "address_index", "created_at"),
        Index("ix_sign_in_code_created_at", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    phone_index: bytes = Field(sa_type=LargeBinary)
    address_index: bytes = Field(sa_type=LargeBinary)
    code_hash: bytes = Field(sa_type=LargeBinary)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    created_at: datetime = _timestamp()
    expires_at: datetime = _timestamp()
    used_at: datetime | None = _timestamp(nullable=True)


class SignInSession(Base, table=True):
    """One sign-in on one device, and what it may do; its refresh tokens are one family."""

    __tablename__ = "session"
    __table_args__ = (
        _one_of("revoked_reason", RevocationReason),
        CheckConstraint(
            "(revoked_at IS NULL) = (revoked_reason IS NULL)", name="revoked_with_reason"
        ),
        Index(
            "ix_session_revoked_at", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")
        ),
        Index("ix_session_expires_at", "expires_at"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    #: Roles, division, department, unit and name as the sign-in proved them.
    grants: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = _timestamp()
    expires_at: datetime = _timestamp()
    revoked_at: datetime | None = _timestamp(nullable=True)
    revoked_reason: str | None = None


class RefreshToken(Base, table=True):
    """A refresh token by its hash; a used one stays until it would have expired."""

    __tablename__ = "refresh_token"
    __table_args__ = (Index("ix_refresh_token_expires_at", "expires_at"),)

    id: UUID = Field(primary_key=True)
    session_id: UUID = Field(foreign_key="session.id", ondelete="CASCADE", index=True)
    token_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    issued_at: datetime = _timestamp()
    expires_at: datetime = _timestamp()
    used_at: datetime | None = _timestamp(nullable=True)
    successor_id: UUID | None = None
