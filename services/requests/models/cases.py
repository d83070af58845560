"""Requests, their cases, and what happened to them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, text
from sqlmodel import Field

from services.requests.models.base import Base, jsonb, timestamp


class CaseState(StrEnum):
    """办件状态."""

    received = "received"  # 收件
    correcting = "correcting"  # 待补正
    accepted = "accepted"  # 受理
    paused = "paused"  # 特别程序
    refused = "refused"  # 不予受理
    decided = "decided"  # 决定
    completed = "completed"  # 办结
    delivered = "delivered"  # 送达
    withdrawn = "withdrawn"  # 撤回


class Light(StrEnum):
    """电子监察: how near the limit of an open case is."""

    green = "green"
    yellow = "yellow"
    red = "red"


_OPEN = "state IN ('received', 'correcting', 'accepted', 'paused', 'decided')"
_STATES = ", ".join(f"'{state}'" for state in CaseState)
_LIGHTS = ", ".join(f"'{light}'" for light in Light)


def _open_index(name: str, *columns: Any) -> Index:
    """Open cases by due date below something."""
    return Index(name, *columns, "due_on", "id", postgresql_where=text(_OPEN))


def _zero() -> Any:
    return Field(default=0, sa_column_kwargs={"server_default": text("0")})


class CitizenRequest(Base, table=True):
    """One application with one or more cases. Personal data encrypted, found by blind index."""

    __tablename__ = "citizen_request"
    __table_args__ = (
        Index("ix_citizen_request_applicant", "applicant_id", "id"),
        Index("ix_citizen_request_identity", "identity_index", "id"),
    )

    id: UUID = Field(primary_key=True)
    number: str = Field(unique=True)
    #: The account that speaks for the applicant: their own, their agent's, or, handed in at a window
    #: by somebody without one, an id made of the identity number.
    applicant_id: UUID
    applicant_name: str
    identity_number: str
    identity_index: bytes = Field(sa_type=LargeBinary)
    mobile: str
    mobile_index: bytes = Field(sa_type=LargeBinary, index=True)
    division_code: str
    channel: str
    submitted_at: datetime = timestamp()
    #: Who took it in for the applicant, at which window of which facility; None when nobody did.
    submitted_by: UUID | None = None
    submitted_unit: str | None = None
    window_code: str | None = None
    facility_id: UUID | None = None
    #: Day 0 of every clock: the first working day in office hours at or after the submission.
    received_on: date | None = None


class ServiceCase(Base, table=True):
    """办件: one item of a request on its way through a unit.

    Migrations also keep statistics of it (`st_service_case_…`), without which the planner reads all
    open cases of a county to find its twenty first.
    """

    __tablename__ = "service_case"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        Index("ix_service_case_request", "request_id"),
        CheckConstraint(f"light IN ({_LIGHTS})", name="light"),
        _open_index("ix_service_case_open_unit", "unit_code"),
        _open_index("ix_service_case_open_assignee", "assignee_id"),
        _open_index("ix_service_case_open_township", text('"left"(division_code, 9)')),
        _open_index("ix_service_case_open_county", text('"left"(division_code, 6)')),
        _open_index("ix_service_case_open"),
    )

    id: UUID = Field(primary_key=True)
    request_id: UUID = Field(foreign_key="citizen_request.id")
    case_number: str = Field(unique=True)
    applicant_id: UUID
    division_code: str
    item_id: UUID
    item_code: str
    item_name: str
    item_version: int
    promised_days: int
    promised_unit: str
    #: The deciding unit; null while the division's dispatch queue holds the case.
    unit_code: str | None = None
    unit_name: str | None = None
    state: str
    version: int = 1
    answers: str
    materials: list[dict[str, Any]] = jsonb()
    routing: dict[str, Any] = jsonb()
    received_on: date | None = None
    accepted_on: date | None = None
    due_on: date | None = None
    decided_on: date | None = None
    completed_on: date | None = None
    delivered_on: date | None = None
    archived_on: date | None = None
    result_code: int | None = None
    granted: bool | None = None
    light: str = Field(default=Light.green, sa_column_kwargs={"server_default": text("'green'")})
    #: 承办人; null while the case is on the unit's list.
    assignee_id: UUID | None = None
    assignee_name: str | None = None
    #: 首问负责: who took it first, whoever has it now.
    first_taker_id: UUID | None = None
    first_taker_name: str | None = None
    #: 延期, in `promised_unit`.
    extended_days: int = _zero()
    #: 特别程序 that are over, in `promised_unit`.
    paused_days: int = _zero()
    paused_on: date | None = None
    #: What is left of the limit while it stands still.
    remaining_days: int | None = None
    reopened_times: int = _zero()


class CaseHistory(Base, table=True):
    """What happened to a case: appended, never changed; in monthly partitions of `case_id`."""

    __tablename__ = "case_history"
    __table_args__ = (
        Index("ix_case_history_feed", "recorded_in", "case_id", "version"),
        {"postgresql_partition_by": "RANGE (case_id)"},
    )

    case_id: UUID = Field(primary_key=True, foreign_key="service_case.id")
    version: int = Field(primary_key=True)
    action: str
    from_state: str | None = None
    to_state: str
    actor_id: UUID | None = None
    actor_name: str | None = None
    actor_unit: str | None = None
    note: str | None = None
    happened_at: datetime = timestamp()
    #: The transaction that wrote it: what others read in order once it is surely over.
    recorded_in: int = Field(
        sa_type=BigInteger,
        sa_column_kwargs={"server_default": text("(pg_current_xact_id()::text)::bigint")},
    )


class CorrectionNotice(Base, table=True):
    """补正告知书: at most one per case, complete the first time (一次性告知)."""

    __tablename__ = "correction_notice"

    case_id: UUID = Field(primary_key=True, foreign_key="service_case.id")
    missing: list[str] = jsonb()
    issued_at: datetime = timestamp()
    answer_by: date
    answered_at: datetime | None = timestamp(nullable=True)
    answer: str | None = None


class NumberSeries(Base, table=True):
    """The next free serial of a series; processes take blocks, so gaps happen and repeats never."""

    __tablename__ = "number_series"

    series: str = Field(primary_key=True)
    next_serial: int
