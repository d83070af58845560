"""Events of requests: submissions and what happens to their cases. Facts only, no personal data."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.envelope import Event
from contracts.topics import CALENDAR, REQUESTS
from contracts.values import Channel, DivisionCode, ItemCode


class SubmittedCase(BaseModel):
    """One case (办件) of a submission as it stood when it was taken in."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    case_id: UUID
    case_number: str
    item_id: UUID
    item_code: ItemCode
    item_name: str
    item_version: int
    #: None when no rule matched and the division's dispatch queue holds it.
    unit_code: str | None
    unit_name: str | None
    due_on: date | None


class RequestEvent(Event):
    """Base of all facts about one request: keyed by request, so that they stay in order."""

    topic: ClassVar[str] = REQUESTS
    key_field: ClassVar[str] = "request_id"

    request_id: UUID
    request_number: str
    #: Account of the applicant at the gateway; an opaque id.
    applicant_id: UUID
    division_code: DivisionCode
    occurred_at: datetime


class RequestSubmitted(RequestEvent):
    """收件: an application with its cases was taken in."""

    event_type: ClassVar[str] = "cn.yichuang.requests.request-submitted.v1"

    channel: Channel
    cases: tuple[SubmittedCase, ...]
    #: The window and the facility where it was handed in, when it was at one.
    window_code: str | None = None
    facility_id: UUID | None = None


class CaseEvent(RequestEvent):
    """Base of the facts about one case; `case_version` grows by one with every transition."""

    case_id: UUID
    case_number: str
    case_version: int
    item_id: UUID
    item_code: ItemCode
    item_name: str
    item_version: int
    unit_code: str | None
    unit_name: str | None
    due_on: date | None


class CorrectionRequested(CaseEvent):
    """补正告知: everything missing was named, once."""

    event_type: ClassVar[str] = "cn.yichuang.requests.correction-requested.v1"

    missing: tuple[str, ...]
    answer_by: date


class CorrectionAnswered(CaseEvent):
    """补正: the applicant has answered the notice."""

    event_type: ClassVar[str] = "cn.yichuang.requests.correction-answered.v1"


class CaseAccepted(CaseEvent):
    """受理; `deemed` when five working days of silence accepted it by law (视为受理)."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-accepted.v1"

    accepted_on: date
    deemed: bool = False


class CaseRefused(CaseEvent):
    """不予受理, with the right organ named."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-refused.v1"

    reason: str
    right_organ: str | None


class CaseDecided(CaseEvent):
    """决定: granted or not, before delivery."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-decided.v1"

    granted: bool


class CaseCompleted(CaseEvent):
    """办结: the case is over for the handling unit and may be rated."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-completed.v1"

    #: Result code of domain practice: 0 出证办结, 1 退回办结, 6 办结 (其他).
    result_code: int
    completed_on: date
    handler_name: str | None
    #: Account of who completed it; the window and the facility where they sat, when known.
    handler_id: UUID | None = None
    window_code: str | None = None
    facility_id: UUID | None = None


class CaseWithdrawn(CaseEvent):
    """撤回: the applicant took the case back before the decision."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-withdrawn.v1"


class CaseEscalated(CaseEvent):
    """催办/督办: a limit came near or passed."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-deadline.v1"

    overdue: bool


class CalendarDay(BaseModel):
    """A day that breaks the weekly pattern."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    day: date
    is_working: bool
    #: 春节, 国庆节, 调休上班.
    label: str


class CalendarYearRecorded(Event):
    """工作日历: the working days of one year, whole; a later record of the year replaces it."""

    event_type: ClassVar[str] = "cn.yichuang.requests.calendar-year-recorded.v1"
    topic: ClassVar[str] = CALENDAR
    key_field: ClassVar[str] = "calendar_key"

    #: `<division code or CN>:<year>`.
    calendar_key: str
    #: None: the whole country. A division's own calendar holds only the days it changes.
    division_code: DivisionCode | None
    year: int = Field(ge=2000, le=2200)
    #: The notice that orders it.
    ordered_by: str
    #: While the State Council has not ruled.
    provisional: bool
    days: tuple[CalendarDay, ...]
    #: Grows with every record of the year: a reader keeps the highest.
    revision: int = Field(ge=1)
    recorded_at: datetime
