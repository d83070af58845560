"""Events of requests: submissions and what happens to their cases. Facts only, no personal data."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.envelope import Event
from contracts.topics import CALENDAR, REQUESTS
from contracts.values import Channel, DivisionCode, ItemCode, TimeUnit

#: Source: 行政许可法 art. 45: 听证、招标、拍卖、检验、检测、检疫、鉴定、专家评审.
SpecialProcedure = Literal[
    "hearing", "tender", "auction", "inspection", "testing", "quarantine", "appraisal",
    "expert-review",
]  # fmt: skip
#: 直接送达、自取、物流、公告, as provincial platforms list them, and 电子送达.
DeliveryWay = Literal["direct", "pick-up", "post", "announcement", "electronic"]


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


class ClaimedCase(BaseModel):
    """A case of a claimed request."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    case_id: UUID
    case_number: str


class RequestClaimed(RequestEvent):
    """认领: an account has proven to be the applicant's or the agent's, of a request others handed in.

    `applicant_id` stays as it was.
    """

    event_type: ClassVar[str] = "cn.yichuang.requests.request-claimed.v1"

    #: The account that speaks for the request from now on, beside the ones that did.
    account_id: UUID
    claimed_as: Literal["applicant", "agent"]
    #: `applicant_id` is nobody's account: staff took the request in.
    taken_in_by_staff: bool
    cases: tuple[ClaimedCase, ...]


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
    #: Who accepted it, at which window of which facility; None when it was deemed, or nobody said.
    handler_name: str | None = None
    handler_id: UUID | None = None
    window_code: str | None = None
    facility_id: UUID | None = None


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


class CasePaid(CaseEvent):
    """缴费: a fee of the case was paid, and its receipt is on record."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-paid.v1"

    #: 分.
    amount_cents: int = Field(ge=1)
    paid_on: date
    #: Who took it, and at which window of which facility; None when nobody said.
    handler_name: str | None
    handler_id: UUID | None
    window_code: str | None
    facility_id: UUID | None


class CaseWithdrawn(CaseEvent):
    """撤回: the applicant took the case back before the decision."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-withdrawn.v1"


class CaseEscalated(CaseEvent):
    """催办/督办: a limit came near or passed."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-deadline.v1"

    overdue: bool


class CaseDispatched(CaseEvent):
    """派单: a person gave the case to a unit, or back to the division's dispatch queue."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-dispatched.v1"

    from_unit_code: str | None


class CaseClockPaused(CaseEvent):
    """特别程序: the limit stands still; `due_on` is None until it goes on."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-clock-paused.v1"

    procedure: SpecialProcedure
    paused_on: date
    #: Days of the limit that are left, in `limit_unit`; None while a calendar year is missing.
    remaining_days: int | None
    limit_unit: TimeUnit
    #: What the applicant was told in writing.
    expected_until: date | None


class CaseClockResumed(CaseEvent):
    """特别程序结束: the limit goes on with the days that were left."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-clock-resumed.v1"

    procedure: SpecialProcedure
    resumed_on: date
    #: Days that are not counted, in `limit_unit`.
    paused_days: int
    limit_unit: TimeUnit


class CaseExtended(CaseEvent):
    """延期: the head of the organ gave the case more days, once."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-extended.v1"

    days: int
    limit_unit: TimeUnit


class CaseRescheduled(CaseEvent):
    """改期: the working-day calendar was corrected or recorded, and `due_on` follows it."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-rescheduled.v1"

    #: What was promised before; None while the year was not recorded, or the limit stood still.
    former_due_on: date | None
    #: The year that was corrected, and the notice that orders it.
    year: int = Field(ge=2000, le=2200)
    ordered_by: str


class CaseFollowUpDue(CaseEvent):
    """容缺后补 or 承诺核查 comes near, or the check's day has passed without one."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-follow-up-due.v1"

    follow_up_id: UUID
    kind: Literal["deferred-material", "commitment"]
    what: str
    follow_up_due_on: date
    overdue: bool


class CaseTransferred(CaseEvent):
    """转报: the case went on to another unit."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-transferred.v1"

    from_unit_code: str | None
    from_unit_name: str | None


class CaseConsulted(CaseEvent):
    """并联: other units were asked for their opinion before one decision."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-consulted.v1"

    #: All units asked so far, the lead unit not among them.
    asked_unit_codes: tuple[str, ...]


class CaseOpinionGiven(CaseEvent):
    """会签意见: a unit that was asked has answered."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-opinion-given.v1"

    opinion_unit_code: str
    agrees: bool


class CaseFollowUpEnded(CaseEvent):
    """容缺补交 or 承诺核查: what was promised at acceptance was kept or not."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-follow-up-ended.v1"

    kind: Literal["deferred-material", "commitment"]
    material_code: str | None
    #: `late`: its day passed; `broken`: checked and found untrue.
    outcome: Literal["kept", "late", "broken"]


class CaseVoided(CaseEvent):
    """作废 (2) or 删除 (3): closed without an outcome, not to be rated."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-voided.v1"

    result_code: Literal[2, 3]
    voided_on: date


class CaseDelivered(CaseEvent):
    """送达: the decision reached the applicant."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-delivered.v1"

    way: DeliveryWay
    delivered_on: date


class CaseReopened(CaseEvent):
    """重办: a completed case is taken up again, with a new limit."""

    event_type: ClassVar[str] = "cn.yichuang.requests.case-reopened.v1"

    reopened_on: date
    #: How often it has been reopened by now.
    times: int
    #: The rectification that asked for it; None when a supervisor did.
    rectification_id: UUID | None


class SupervisionOrdered(CaseEvent):
    """督办: a unit is told to say by when and how; a higher level means that nobody answered."""

    event_type: ClassVar[str] = "cn.yichuang.requests.supervision-ordered.v1"

    order_id: UUID
    cause: Literal["overdue", "delivery", "special-procedure", "commitment", "manual"]
    #: 1 the unit itself, 2 its county, 3 the city.
    level: int = Field(ge=1)
    reply_by: date | None


class SupervisionAnswered(CaseEvent):
    """督办回复: the unit has said what it does about it."""

    event_type: ClassVar[str] = "cn.yichuang.requests.supervision-answered.v1"

    order_id: UUID
    level: int = Field(ge=1)
    is_late: bool


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
