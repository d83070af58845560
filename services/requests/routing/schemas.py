"""Routing as the API shows and takes it."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.values import Channel, DivisionCode, ItemCode
from services.requests.routing.rules import Rule

#: A rule set may be large; one request carries it whole.
MAX_RULES = 10_000


class ExplainRequest(BaseModel):
    """A hypothetical case; `version` asks another rule set than the active one."""

    item_code: ItemCode
    division_code: DivisionCode
    channel: Channel | None = None
    is_organisation: bool = False
    at: AwareDatetime | None = None
    version: int | None = Field(default=None, ge=1)


class SkippedRule(BaseModel):
    rule: str
    because: str


class Explanation(BaseModel):
    """Which rule fires, and why the ones before it did not."""

    rule_set_version: int
    rule: str | None
    unit: str | None
    unit_name: str | None
    parallel: list[str]
    skipped: list[SkippedRule]
    skipped_count: int


class CaseRouting(BaseModel):
    """一个办件当初为什么派到这里，后来怎样改派。"""

    decision: dict[str, Any] = Field(description="收件时的派单决定：规则版本、规则和经过")
    unit_code: str | None
    changes: list["UnitChange"]


class UnitChange(BaseModel):
    """人工派单、退回派单、上交或转报。"""

    action: str
    actor_name: str | None
    note: str | None
    happened_at: datetime


class UnitRead(BaseModel):
    code: str
    name: str
    division_code: str
    department: str
    provisional: bool


class RuleSetWrite(BaseModel):
    """一版派单规则。"""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(min_length=2, max_length=200)]
    rules: list[Rule] = Field(min_length=1, max_length=MAX_RULES)


class RuleSetSummary(BaseModel):
    version: int
    state: str
    note: str
    edit: int = Field(description="修改次数，修改草稿时以 If-Match 带回")
    rule_count: int
    activated_at: datetime | None
    activates_at: datetime | None


class RuleSetRead(RuleSetSummary):
    rules: list[Rule]


class Pair(BaseModel):
    """一条规则和与它冲突、或者挡住它的规则。"""

    rule: str
    other: str


class Uncovered(BaseModel):
    """没有规则管的组合，会进入待派清单。"""

    item_code: str
    division_code: str
    channel: str
    object: str = Field(description="individual 个人，organisation 单位；只在规则区分时分别列出")


class CheckReport(BaseModel):
    """规则检查结果；有冲突的不能生效，其余是提醒。"""

    conflicts: list[Pair]
    conflict_count: int
    unreachable: list[Pair]
    unreachable_count: int
    uncovered: list[Uncovered]
    uncovered_count: int
    combinations: int = Field(description="查了多少个事项、区域和渠道的组合")


class ActivationWrite(BaseModel):
    """生效：不填时间即刻生效。"""

    model_config = ConfigDict(extra="forbid")

    at: AwareDatetime | None = None
    note: Annotated[str, Field(min_length=2, max_length=200)]


class RollbackWrite(BaseModel):
    """退回上一版。"""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(min_length=2, max_length=200)]


class ActivationRead(BaseModel):
    """哪一版在什么时候由谁接替了哪一版。"""

    version: int
    replaced: int | None
    note: str
    actor_name: str | None
    activated_at: datetime


class QueuedCase(BaseModel):
    """待派清单中的一个办件，和没有规则接手的原因。"""

    id: UUID
    case_number: str
    item_code: str
    item_name: str
    division_code: str
    version: int
    received_on: date | None
    routing: dict[str, Any]
