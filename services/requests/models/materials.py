"""Files handed in, and to which case and material each belongs."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field

from services.requests.models.base import Base, timestamp


class UploadState(StrEnum):
    """How far an upload is."""

    uploading = "uploading"
    complete = "complete"
    #: Its content is not what may be handed in.
    refused = "refused"


class ScanState(StrEnum):
    """What is known of a file's safety."""

    not_scanned = "not-scanned"  # no scanner is configured
    pending = "pending"
    clean = "clean"
    infected = "infected"


_STATES = ", ".join(f"'{state}'" for state in UploadState)
_SCANS = ", ".join(f"'{state}'" for state in ScanState)


class MaterialUpload(Base, table=True):
    """A file on its way or there. Its bytes lie encrypted in the object store, in numbered parts."""

    __tablename__ = "material_upload"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint(f"scan IN ({_SCANS})", name="scan"),
        CheckConstraint("received_bytes BETWEEN 0 AND size_bytes", name="received"),
        Index(
            "ix_material_upload_scan",
            "completed_at",
            postgresql_where=text("scan = 'pending' AND state = 'complete'"),
        ),
        Index(
            "ix_material_upload_expires",
            "expires_at",
            postgresql_where=text("expires_at IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    owner_id: UUID
    #: Encrypted: people name files after people.
    file_name: str
    size_bytes: int = Field(sa_type=BigInteger)
    received_bytes: int = Field(default=0, sa_type=BigInteger)
    parts: int = 0
    #: Encrypted key of this file's content; without it the bytes are lost for good.
    content_key: str | None = None
    media_type: str | None = None
    sha256: str | None = None
    state: str = UploadState.uploading
    scan: str
    scan_attempts: int = 0
    created_at: datetime = timestamp()
    completed_at: datetime | None = timestamp(nullable=True)
    #: When nobody has handed it in until then it is forgotten; None once it belongs to a case.
    expires_at: datetime | None = timestamp(nullable=True)


class CaseMaterial(Base, table=True):
    """A file as part of a material of a case; a correction adds a version and removes none."""

    __tablename__ = "case_material"
    __table_args__ = (
        CheckConstraint("origin IN ('submission', 'correction', 'reuse')", name="origin"),
        Index("uq_case_material", "case_id", "code", "version", "position", unique=True),
        Index("ix_case_material_upload", "upload_id"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="service_case.id")
    code: str
    version: int
    position: int
    upload_id: UUID = Field(foreign_key="material_upload.id")
    origin: str
    #: The earlier material it was taken over from, with the applicant's consent at `added_at`.
    reused_from: UUID | None = None
    added_by: UUID
    added_at: datetime = timestamp()


class MaterialPart(Base, table=True):
    """Where a piece of an upload lies in the object store; in order they are the file."""

    __tablename__ = "material_part"

    upload_id: UUID = Field(primary_key=True, foreign_key="material_upload.id", ondelete="CASCADE")
    number: int = Field(primary_key=True)
    object_name: str
    size_bytes: int
