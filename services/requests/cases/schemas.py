"""Cases as the API shows them, and what can be done to them."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.values import DivisionCode, ItemCode, TimeUnit, UnitCode
from services.requests.submissions.schemas import MaterialBody

Note = Annotated[str, Field(max_length=500)]


class _ActionBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Dispatch(_ActionBody):
    """人工派单。"""

    unit_code: UnitCode
    note: Note | None = None


class RequestCorrection(_ActionBody):
    """补正告知：一次告知全部需要补正的内容，只有一次。"""

    missing: list[Annotated[str, Field(min_length=2, max_length=200)]] = Field(
        min_length=1, max_length=30
    )


class AnswerCorrection(_ActionBody):
    """补正。"""

    materials: list[MaterialBody] = Field(default_factory=list, max_length=50)
    note: Note | None = None


class Accept(_ActionBody):
    """受理。"""

    note: Note | None = None


class Refuse(_ActionBody):
    """不予受理：说明理由，并告知应向哪个机关申请。"""

    reason: Annotated[str, Field(min_length=4, max_length=500)]
    right_organ: Annotated[str, Field(min_length=2, max_length=100)] | None = None


class Decide(_ActionBody):
    """决定。"""

    granted: bool
    note: Note | None = None


class Complete(_ActionBody):
    """办结。result_code: 0 出证办结，1 退回办结，6 其他。"""

    result_code: Literal[0, 1, 6]
    note: Note | None = None


class Withdraw(_ActionBody):
    """撤回。"""

    note: Note | None = None


ActionBody = (
    Dispatch | RequestCorrection | AnswerCorrection | Accept | Refuse | Decide | Complete | Withdraw
)


class CaseVersion(BaseModel):
    """办件处理后的版本号，下一步以 If-Match 带回。"""

    version: int


class HistoryEntry(BaseModel):
    version: int
    action: str
    from_state: str | None
    to_state: str
    actor_name: str | None
    actor_unit: str | None
    note: str | None
    happened_at: datetime


class NoticeRead(BaseModel):
    """补正告知书。"""

    missing: list[str]
    issued_at: datetime
    answer_by: date
    answered_at: datetime | None


class CaseSummary(BaseModel):
    """One line of a work list."""

    id: UUID
    case_number: str
    item_code: ItemCode
    item_name: str
    division_code: DivisionCode
    unit_code: str | None
    unit_name: str | None
    state: str
    version: int
    received_on: date | None
    due_on: date | None


class CaseRead(CaseSummary):
    """办件详情。申请人信息按规定遮盖；本人看到的是全部。"""

    request_id: UUID
    request_number: str
    promised_days: int
    promised_unit: TimeUnit
    accepted_on: date | None
    completed_on: date | None
    result_code: int | None
    granted: bool | None
    applicant_name: str
    applicant_identity_number: str
    applicant_mobile: str
    correction: NoticeRead | None
    history: list[HistoryEntry]
    possible_actions: list[str]
