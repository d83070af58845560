"""What may be rated: local copies of cases, and the services of them that are open to rating."""

from datetime import date, datetime
from enum import IntEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.evaluation.models.base import Base, flag, timestamp


class ServiceNumber(IntEnum):
    """办件服务: the services of one case that may each be rated. Source: 一事一评, projectService."""

    consultation = 1
    application = 2
    correction = 3
    payment = 4
    completion = 5


SERVICE_NAMES = {
    ServiceNumber.consultation: "咨询",
    ServiceNumber.application: "申报",
    ServiceNumber.correction: "补正",
    ServiceNumber.payment: "缴费",
    ServiceNumber.completion: "办结",
}


class CaseCopy(Base, table=True):
    """What evaluation must know of a case; kept by events of requests, newest version wins."""

    __tablename__ = "case_copy"
    __table_args__ = (Index("ix_case_copy_number", "case_number"),)

    case_id: UUID = Field(primary_key=True)
    case_version: int
    case_number: str
    request_id: UUID
    applicant_id: UUID
    item_id: UUID
    item_code: str
    item_name: str
    unit_code: str | None = None
    unit_name: str | None = None
    division_code: str
    #: Known from the completion on, whatever else happens to the case later.
    completed_version: int | None = None
    completed_on: date | None = None
    #: The promised date as it stood at the completion.
    promised_on: date | None = None
    handler_name: str | None = None
    handler_id: UUID | None = None
    #: Where the request was handed in, of the submission; the window and place where it was.
    service_channel: str | None = None
    window_code: str | None = None
    facility_id: UUID | None = None


class Evaluable(Base, table=True):
    """One service of a case, open to one rating and one 追评.

    The unit is the one that did the work (谁办理、谁负责), even when the case moves on later.
    """

    __tablename__ = "evaluable"
    __table_args__ = (
        UniqueConstraint("case_id", "service_number"),
        CheckConstraint("service_number BETWEEN 1 AND 5", name="service_number"),
        Index("ix_evaluable_applicant", "applicant_id", "opened_at", "id"),
        Index("ix_evaluable_unrated", "open_until", "id", postgresql_where=text("NOT is_rated")),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="case_copy.case_id")
    service_number: int
    applicant_id: UUID
    unit_code: str | None = None
    unit_name: str | None = None
    #: Who did the work, where and how, as far as the events tell.
    handler_id: UUID | None = None
    handler_name: str | None = None
    window_code: str | None = None
    facility_id: UUID | None = None
    service_channel: str | None = None
    #: When the service was done, by the event; null for what was opened before this was kept.
    served_at: datetime | None = timestamp(nullable=True)
    opened_at: datetime = timestamp()
    open_until: date
    #: A first rating, given or by default, is there.
    is_rated: bool = flag()
