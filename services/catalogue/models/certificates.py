"""Certificates (证明): lists with versions, and reports of departments that still demand one."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.catalogue.models.base import Base, one_of, written_at


class ListKind(StrEnum):
    """不应出具, 可以出具."""

    not_issued = "not-issued"
    issued = "issued"


class CertificateList(Base, table=True):
    """One version of a list, in force from a day until the next version of it."""

    __tablename__ = "certificate_list"
    __table_args__ = (
        CheckConstraint(one_of("kind", ListKind), name="kind"),
        UniqueConstraint("code", "version"),
        UniqueConstraint("code", "effective_from"),
    )

    id: UUID = Field(primary_key=True)
    code: str
    kind: str
    #: The subtree it is for; None is the whole country.
    division_code: str | None = Field(default=None, index=True)
    name: str
    version: int
    document: str
    source: str
    provisional: bool
    effective_from: date
    #: Account id, or "seed".
    recorded_by: str
    recorded_by_name: str | None = None
    recorded_at: datetime = written_at()


class CertificateEntry(Base, table=True):
    """One certificate of a list."""

    __tablename__ = "certificate_entry"
    __table_args__ = (UniqueConstraint("list_id", "name"),)

    list_id: UUID = Field(primary_key=True, foreign_key="certificate_list.id")
    position: int = Field(primary_key=True)
    name: str
    also_known_as: list[str] = Field(sa_type=ARRAY(Text))
    #: Where to go instead: department, words, basis; of lists of what is not issued.
    instead: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    #: 式样: title, text with blanks, fields; of lists of what may be issued.
    template: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    procedure: str | None = None


class ReportState(StrEnum):
    """反映, 协调, 报县, 办结."""

    reported = "reported"
    coordinating = "coordinating"
    escalated = "escalated"
    settled = "settled"


class CertificateReport(Base, table=True):
    """A department still demands a certificate that villages do not issue."""

    __tablename__ = "certificate_report"
    __table_args__ = (
        CheckConstraint(one_of("state", ReportState), name="state"),
        CheckConstraint(
            "outcome IS NULL OR outcome IN ('demand-dropped', 'checked-online', 'demand-stands')",
            name="outcome",
        ),
        CheckConstraint("(state = 'settled') = (outcome IS NOT NULL)", name="settled_with_outcome"),
    )

    id: UUID = Field(primary_key=True)
    #: The village or community that was asked for it.
    division_code: str = Field(index=True)
    certificate: str
    list_id: UUID = Field(foreign_key="certificate_list.id")
    department: str
    #: The unit and the matter, without anybody's name.
    unit_name: str
    matter: str
    state: str = Field(index=True)
    version: int
    outcome: str | None = None
    reporter: str
    reported_at: datetime = written_at()
    changed_at: datetime = written_at()


class CertificateReportHistory(Base, table=True):
    """Who did what about a report; append-only."""

    __tablename__ = "certificate_report_history"

    id: UUID = Field(primary_key=True)
    report_id: UUID = Field(foreign_key="certificate_report.id", index=True)
    action: str
    from_state: str | None = None
    to_state: str
    actor: str
    actor_name: str | None = None
    words: str | None = None
    happened_at: datetime = written_at()
