"""Work lists as the API shows and takes them."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.values import DivisionCode, UnitCode
from services.requests.cases.rules import Action
from services.requests.models import CaseState, Light
from services.requests.worklists.rules import Turn

#: Steps that may be taken with many cases at once.
BULK_ACTIONS = (
    Action.claim, Action.put_back, Action.hand_over, Action.dispatch, Action.accept, Action.review,
    Action.complete, Action.deliver,
)  # fmt: skip


class WorkListFilter(BaseModel):
    """工作清单的筛选条件；不填的不限。"""

    model_config = ConfigDict(extra="forbid")

    state: CaseState | None = None
    light: Light | None = None
    role: Turn | None = Field(
        default=None, description="轮到谁办：窗口、承办人、帮办员、督办（派单），或等申请人补正"
    )
    unit: UnitCode | None = Field(default=None, description="只看这个单位的")
    division: DivisionCode | None = Field(default=None, description="只看这个区划之内的")
    holder: Literal["me", "nobody"] | UUID | None = Field(
        default=None, description="me 我领取的，nobody 没有人领取的，或某个人的账号"
    )
    due_from: date | None = None
    due_to: date | None = None
    wanted: Literal["opinion"] | None = Field(default=None, description="等我单位出具意见的")


class WaitingFollowUp(BaseModel):
    """等着补交的容缺材料，或等着核查的承诺；办结之后的核查也在内。"""

    id: UUID
    kind: Literal["deferred-material", "commitment"]
    what: str
    due_on: date | None
    light: Light
    case_id: UUID
    case_number: str
    item_name: str
    state: CaseState
    unit_code: UnitCode | None
    unit_name: str | None
    assignee_name: str | None


class SavedFilterWrite(BaseModel):
    """保存的筛选。"""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=40)]
    filter: WorkListFilter


class SavedFilterRead(BaseModel):
    id: UUID
    name: str
    filter: WorkListFilter


class Counts(BaseModel):
    """在办件数。"""

    total: int
    by_light: dict[Light, int]
    by_state: dict[str, int]


class Colleague(BaseModel):
    """同单位的人，可以移交给他。"""

    account_id: UUID
    name: str


class BulkCase(BaseModel):
    """一个办件和读到的版本号。"""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    version: int = Field(ge=1, le=999_999_999)


class BulkWrite(BaseModel):
    """对多个办件做同一步；每个办件各自成败。"""

    model_config = ConfigDict(extra="forbid")

    action: Action
    body: dict[str, Any] = Field(default_factory=dict, description="这一步本身的内容")
    cases: list[BulkCase] = Field(min_length=1, max_length=100)


class BulkOutcome(BaseModel):
    """一个办件的结果：成功的给出新版本号，失败的给出原因。"""

    id: UUID
    status: int
    version: int | None = None
    code: str | None = None
    title: str | None = None


class BulkResult(BaseModel):
    succeeded: int
    outcomes: list[BulkOutcome]
