"""Submissions as the API takes and shows them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.values import (
    Channel,
    DivisionCode,
    IdentityNumber,
    ItemCode,
    MobileNumber,
    TimeUnit,
    Uscc,
)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ApplicantBody(Strict):
    """申请人。"""

    name: str = Field(min_length=2, max_length=50)
    identity_number: IdentityNumber
    mobile: MobileNumber


class MaterialBody(Strict):
    """一份材料；纸质的交到窗口或寄送。"""

    code: str = Field(max_length=60)
    form: Literal["electronic", "paper"] = "paper"


class MaterialWithFiles(MaterialBody):
    """一份材料，可以附上已经传完的文件，也可以沿用本人以前办事时交过的材料。"""

    upload_ids: list[UUID] = Field(default_factory=list, max_length=10)
    reuse: list[UUID] = Field(
        default_factory=list, max_length=10, description="以前交过的材料的编号，见“我的材料”"
    )
    consent: bool = Field(default=False, description="同意沿用以前的材料；沿用时必须为 true")

    @model_validator(mode="after")
    def _reuse_needs_consent(self) -> Self:
        if self.reuse and not self.consent:
            raise ValueError("沿用以前的材料须经本人同意")
        return self

    @property
    def has_files(self) -> bool:
        return bool(self.upload_ids or self.reuse)

    def as_record(self) -> dict[str, str]:
        """What the case keeps of it; the files have rows of their own."""
        return {"code": self.code, "form": "electronic" if self.has_files else self.form}


class AuthorityBody(Strict):
    """代理的依据：委托书、法定代理或职务。"""

    kind: Literal["power-of-attorney", "legal-guardian", "position"]
    valid_until: date | None = Field(default=None, description="委托到期日；不填表示一直有效")
    on_paper: bool = Field(default=False, description="纸质委托书已交窗口查验")
    upload_ids: list[UUID] = Field(default_factory=list, max_length=5)


class AgentBody(Strict):
    """代理人：替申请人办事的人。"""

    name: str = Field(min_length=2, max_length=50)
    identity_number: IdentityNumber
    mobile: MobileNumber
    relation: Literal["spouse", "parent", "child", "relative", "guardian", "employee", "other"]
    authority: AuthorityBody


class OrganisationBody(Strict):
    """申请单位；applicant 填经办人。"""

    name: str = Field(min_length=2, max_length=100)
    uscc: Uscc = Field(description="统一社会信用代码")


class ItemBody(Strict):
    """要办的一个事项。"""

    item_code: ItemCode
    answers: dict[str, Any] = Field(default_factory=dict)
    materials: list[MaterialWithFiles] = Field(default_factory=list, max_length=50)


class BundleBody(Strict):
    """作为“高效办成一件事”提交：共有的信息填一次，共用的材料交一次。"""

    code: ItemCode
    chosen: dict[str, str] = Field(default_factory=dict, description="引导问题 → 所选的选项")
    shared: dict[str, Any] = Field(
        default_factory=dict, description="各事项共有的字段，填一次，用到每个有它的事项"
    )
    materials: list[MaterialWithFiles] = Field(
        default_factory=list, max_length=100, description="合并后的材料，交一次，用到每个要它的事项"
    )


class RequestCreate(Strict):
    """一次申请：可以同时办几个事项。"""

    division_code: DivisionCode = Field(description="申请人所在村（社区）的区划代码")
    channel: Channel
    applicant: ApplicantBody
    agent: AgentBody | None = None
    organisation: OrganisationBody | None = None
    items: list[ItemBody] = Field(min_length=1, max_length=20)
    bundle: BundleBody | None = Field(
        default=None, description="按一件事提交；items 须正好是按所选答案要办的事项"
    )
    window_code: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="在窗口收件时的窗口号"
    )
    facility_id: UUID | None = Field(default=None, description="窗口所在的服务设施")
    draft_id: UUID | None = Field(default=None, description="由这份草稿提交；提交后草稿删除")


class UnitRef(BaseModel):
    code: str
    name: str


class MaterialRef(BaseModel):
    code: str
    name: str


class ReceiptCase(BaseModel):
    """收件回执中的一个办件。"""

    id: UUID
    number: str
    item_code: ItemCode
    item_name: str
    item_version: int
    unit: UnitRef | None = Field(description="办理单位；null 表示等待人工派单")
    state: str
    promised_days: int
    promised_unit: TimeUnit
    due_on: date | None = Field(description="承诺办结日；null 表示当年工作日历尚未公布")
    due_is_provisional: bool
    materials_missing: list[MaterialRef]


class ReceiptCore(BaseModel):
    """What of a receipt is stored beside its key; the look-up code is not."""

    id: UUID
    number: str
    submitted_at: datetime
    received_on: date | None
    clock_note: str
    cases: list[ReceiptCase]


class Duplicate(BaseModel):
    """近期同一人的同一事项，可能重复申请；只作提醒，不影响收件。"""

    number: str
    item_name: str
    submitted_at: datetime


class Receipt(ReceiptCore):
    """收件回执。凭 number 和 lookup_code 不用登录就能查进度。"""

    lookup_code: str = Field(description="查询码，请勿告诉他人")
    possible_duplicates: list[Duplicate]


class DuplicatesQuery(Strict):
    """提交前看看是否重复；工作人员须填申请人的身份证号，本人不用填。"""

    item_codes: list[ItemCode] = Field(min_length=1, max_length=20)
    identity_number: IdentityNumber | None = None


class DuplicateNow(Duplicate):
    state: str


class Duplicates(BaseModel):
    items: list[DuplicateNow]


class LookupBody(Strict):
    """凭申请编号和查询码查进度。"""

    number: str = Field(min_length=10, max_length=30)
    lookup_code: str = Field(min_length=4, max_length=20)


class LookupCase(BaseModel):
    number: str
    item_name: str
    state: str
    unit_name: str | None
    received_on: date | None
    accepted_on: date | None
    due_on: date | None
    completed_on: date | None


class Progress(BaseModel):
    """进度；不含任何个人信息。"""

    number: str
    submitted_at: datetime
    received_on: date | None
    cases: list[LookupCase]


class CaseBrief(BaseModel):
    """我的申请中的一个办件。"""

    id: UUID
    number: str
    item_code: ItemCode
    item_name: str
    state: str
    unit_name: str | None
    due_on: date | None


class RequestRead(BaseModel):
    """我的申请。"""

    id: UUID
    number: str
    division_code: DivisionCode
    channel: Channel
    submitted_at: datetime
    received_on: date | None
    as_agent: bool = Field(description="我是代理人")
    cases: list[CaseBrief]


class PartyRead(BaseModel):
    """代理人、申请单位或认领的本人；工作人员看到的是遮盖后的。"""

    role: str
    name: str | None
    identity_number: str | None
    mobile: str | None
    uscc: str | None
    relation: str | None
    authority: dict[str, Any] | None
    valid_until: date | None


class RequestDetail(BaseModel):
    """一次申请的全部情况。"""

    id: UUID
    number: str
    division_code: DivisionCode
    channel: Channel
    submitted_at: datetime
    received_on: date | None
    applicant_name: str
    applicant_identity_number: str
    applicant_mobile: str
    taken_in_by_staff: bool
    bundle_code: ItemCode | None = Field(default=None, description="作为哪件事一起提交的")
    lookup_code: str | None = Field(description="只有本人和代理人看得到")
    parties: list[PartyRead]
    cases: list[CaseBrief]
