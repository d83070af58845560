"""Archives as the API takes and shows them."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.values import DivisionCode


class ArchiveRead(BaseModel):
    """档案：封存时的摘要、保管期限，以及现在与封存时是否一致。"""

    case_id: UUID
    sequence: int
    digest: str = Field(description="封存清单的 SHA-256")
    parts: dict[str, str]
    before: str | None = Field(description="上一次封存的摘要；重新办理后会再次封存")
    case_version: int
    closed_on: date
    sealed_at: datetime
    retention: str = Field(description="按哪一条规定")
    retain_until: date | None = Field(description="保管到哪一天；null 表示永久")
    destroyed_at: datetime | None
    condition: str = Field(
        description="intact 一致，changed 不一致，reopened 已重新办理，destroyed 已销毁"
    )
    changed: list[str]


class TermWrite(BaseModel):
    """保管期限；years 不填表示永久。"""

    model_config = ConfigDict(extra="forbid")

    years: Annotated[int, Field(ge=1, le=100)] | None
    source: str = Field(min_length=4, max_length=200, description="依据")
    provisional: bool = False


class TermRead(TermWrite):
    model_config = ConfigDict(extra="ignore")

    scope: str
    version: int
    changed_at: datetime


class Terms(BaseModel):
    items: list[TermRead]
    default_years: int
    default_source: str


class DestructionCreate(BaseModel):
    """拟销毁：列出区域内保管期满的档案，由另一人审批。"""

    model_config = ConfigDict(extra="forbid")

    division_code: DivisionCode
    basis: str = Field(min_length=4, max_length=300, description="鉴定意见和依据")
    limit: int = Field(default=500, ge=1, le=1000)


class DestructionRead(BaseModel):
    """销毁清册：每份档案的编号和摘要，谁提出，谁批准，什么时候销毁。"""

    id: UUID
    division_code: DivisionCode
    state: str
    version: int
    basis: str
    archives: list[dict[str, Any]]
    proposed_name: str | None
    proposed_at: datetime
    decided_name: str | None
    decided_at: datetime | None
    proof: str | None
