"""服务档案: sealed records of closed cases, how long they are kept, and proof of their destruction."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from services.requests.models.base import Base, jsonb, timestamp


class CaseArchive(Base, table=True):
    """A seal on a case as it was closed; a case that was opened again gets a further one."""

    __tablename__ = "case_archive"
    __table_args__ = (
        Index(
            "ix_case_archive_retain",
            "retain_until",
            "case_id",
            postgresql_where=text("destroyed_at IS NULL AND retain_until IS NOT NULL"),
        ),
    )

    case_id: UUID = Field(primary_key=True, foreign_key="service_case.id")
    #: 1, 2, …: each seal names the one before.
    sequence: int = Field(primary_key=True)
    #: SHA-256 over the manifest.
    digest: str
    #: Part of the record → SHA-256, the seal before, and what cannot be read any more after destruction.
    manifest: dict[str, Any] = jsonb()
    case_version: int
    closed_on: date
    sealed_at: datetime = timestamp()
    #: The last day it is kept; None for ever.
    retain_until: date | None = None
    retention: str
    destroyed_at: datetime | None = timestamp(nullable=True)
    destruction_id: UUID | None = Field(default=None, foreign_key="archive_destruction.id")


class RetentionRule(Base, table=True):
    """保管期限 of an item, of a kind of items (事项类型) or, with `*`, of all others."""

    __tablename__ = "retention_rule"
    __table_args__ = (CheckConstraint("years IS NULL OR years BETWEEN 1 AND 100", name="years"),)

    #: `item:<code>`, `task-type:<code>` or `*`.
    scope: str = Field(primary_key=True)
    #: None: for ever (永久).
    years: int | None = None
    source: str
    provisional: bool = True
    version: int = 1
    changed_by: UUID | None = None
    changed_at: datetime = timestamp()


class ArchiveDestruction(Base, table=True):
    """销毁: proposed by one person, carried out by another, with what was destroyed by digest."""

    __tablename__ = "archive_destruction"
    __table_args__ = (CheckConstraint("state IN ('proposed', 'done', 'rejected')", name="state"),)

    id: UUID = Field(primary_key=True)
    division_code: str = Field(index=True)
    state: str
    version: int = 1
    basis: str
    #: Case id, case number, digest and last day of each archive.
    archives: list[dict[str, Any]] = jsonb()
    proposed_by: UUID
    proposed_name: str | None = None
    proposed_at: datetime = timestamp()
    decided_by: UUID | None = None
    decided_name: str | None = None
    decided_at: datetime | None = timestamp(nullable=True)
    #: SHA-256 over the list as it was destroyed.
    proof: str | None = None
