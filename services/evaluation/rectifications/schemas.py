"""Rectifications: what staff send with each step, and what staff and the resident see."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.values import RatingLevel
from services.evaluation.models import Branch, Outcome, RectificationState
from services.evaluation.rectifications.rules import Action, Light

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=1000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Verification(_Body):
    """核实."""

    note: Words = Field(description="核实情况，只供内部查看")


class FixNow(_Body):
    """立行立改."""

    note: Words = Field(description="整改措施")


class FixByDate(_Body):
    """限期整改."""

    note: Words = Field(description="不能立即解决的理由")
    fix_by: date = Field(description="承诺解决的日期")


class Explanation(_Body):
    """解释说明."""

    note: Words = Field(description="诉求缺乏依据的法规政策依据")


class Reply(_Body):
    """反馈."""

    reply: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=5, max_length=1000)
    ] = Field(description="给评价人的答复，评价人会看到")


class CallBack(_Body):
    """回访."""

    reached: bool = Field(description="是否联系到评价人")
    solved: bool | None = Field(default=None, description="评价人认为是否解决；未联系到时不填")
    note: Words | None = Field(default=None, description="回访记录，只供内部查看")


class ClosingUnreached(_Body):
    """多次联系不上，销号."""

    note: Words = Field(description="联系经过")


class Extension(_Body):
    """延期."""

    days: int = Field(ge=1, le=60, description="延长的工作日")
    note: Words = Field(description="延期理由")


class Disclosure(_Body):
    """查看是哪一件办件."""

    reason: Words = Field(description="为何需要知道；评价人可以查到")


class DisclosedCase(BaseModel):
    """The case a rating is about, told once and written down."""

    case_id: UUID
    case_number: str


class DisclosureRead(BaseModel):
    """Who was told which case it is, and why."""

    viewer_name: str | None
    viewer_unit: str | None
    fields: list[str]
    reason: str
    seen_at: datetime


class DisclosureList(BaseModel):
    """Newest first."""

    items: list[DisclosureRead]


class RectificationSummary(BaseModel):
    """A line of the work list."""

    id: UUID
    state: RectificationState
    due_on: date | None
    is_overdue: bool
    light: Light | None = Field(description="绿、黄、红灯；未计时为空")
    is_escalated: bool = Field(description="逾期，已转督办")
    is_disputed: bool = Field(description="单位对评价有申诉，正在复核")
    level: RatingLevel
    item_name: str
    service_name: str
    unit_code: str | None
    unit_name: str | None
    branch: Branch | None
    times_reopened: int


class Step(BaseModel):
    """What happened."""

    action: Action
    from_state: RectificationState
    to_state: RectificationState
    actor_name: str | None
    actor_unit: str | None
    note: str | None
    happened_at: datetime


class RatingInMatter(BaseModel):
    """A rating as the unit sees it."""

    assess_number: int
    level: RatingLevel
    tags: list[str]
    text: str | None = Field(description="已隐去个人信息")
    given_on: date


class RectificationStanding(RectificationSummary):
    """Where a rectification stands. Without any free text: answers to steps are kept for repeats."""

    version: int
    fix_by: date | None
    replied_at: datetime | None
    missed_call_days: int
    call_back_due_on: date | None
    called_back_at: datetime | None
    times_extended: int
    outcome: Outcome | None
    solved: bool | None
    closed_at: datetime | None
    possible_actions: list[str] = Field(description="现在可以做的操作")


class RectificationForStaff(RectificationStanding):
    """A rectification as unit and supervisors see it: without who rated."""

    view: Literal["staff"] = "staff"
    handler_name: str | None
    ratings: list[RatingInMatter]
    reply: str | None
    history: list[Step]


class UnitCallBacks(BaseModel):
    """How many of a unit's answered bad ratings were called back."""

    unit_code: str | None
    unit_name: str | None
    replied: int
    called: int = Field(description="已回访，含未联系到的")
    reached: int = Field(description="联系到评价人的")
    solved: int
    late: int = Field(description="过期仍未回访的")
    call_back_ratio: float = Field(description="回访率 = called ÷ replied，要求为 1")


class CallBackMeasure(BaseModel):
    """Units with the most that were not called back first."""

    items: list[UnitCallBacks]


class RectificationForResident(BaseModel):
    """A rectification as the resident whose rating it is sees it."""

    view: Literal["own"] = "own"
    id: UUID
    evaluable_id: UUID
    case_number: str
    item_name: str
    unit_name: str | None
    state: RectificationState
    due_on: date | None
    branch: Branch | None
    fix_by: date | None
    reply: str | None
    replied_at: datetime | None
    rerate_until: date | None = Field(description="收到反馈后可以追评的最后一天")
    solved: bool | None
