"""Cases as the API shows them."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from contracts.values import DivisionCode, ItemCode, TimeUnit


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


class PauseRead(BaseModel):
    """特别程序：不计入时限的一段时间。"""

    procedure: str
    reason: str
    started_on: date
    expected_until: date | None
    ended_on: date | None
    days: int | None
    outcome: str | None


class OpinionRead(BaseModel):
    """并联单位的意见；agrees 为 null 表示还没有答复。"""

    unit_code: str
    unit_name: str
    agrees: bool | None
    opinion: str | None
    given_by: str | None
    given_at: datetime | None


class PaymentRead(BaseModel):
    """缴费记录；amount_cents 的单位是分。"""

    receipt_number: str
    amount_cents: int
    paid_on: date


class FollowUpRead(BaseModel):
    """容缺后补的材料或待核查的承诺。"""

    kind: str
    material_code: str | None
    what: str
    due_on: date | None
    outcome: str | None
    ended_at: datetime | None


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
    light: str
    assignee_id: UUID | None
    assignee_name: str | None
    first_taker_name: str | None


class CaseRead(CaseSummary):
    """办件详情。申请人信息按规定遮盖；本人看到的是全部。"""

    request_id: UUID
    request_number: str
    promised_days: int
    promised_unit: TimeUnit
    accepted_on: date | None
    decided_on: date | None
    completed_on: date | None
    delivered_on: date | None
    archived_on: date | None
    paused_on: date | None
    remaining_days: int | None
    paused_days: int
    extended_days: int
    reopened_times: int
    result_code: int | None
    granted: bool | None
    applicant_name: str
    applicant_identity_number: str
    applicant_mobile: str
    correction: NoticeRead | None
    pauses: list[PauseRead]
    opinions: list[OpinionRead]
    payments: list[PaymentRead]
    follow_ups: list[FollowUpRead]
    history: list[HistoryEntry]
    possible_actions: list[str]
