"""Divisions as the API shows them."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from contracts.values import DivisionLevel

CommunityKind = Literal["village", "urban_community"]
ChangeKind = Literal["found", "rename", "merge", "split", "recode", "close"]
NamePart = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
CodePrefix = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}$")]


class Ancestor(BaseModel):
    code: str
    name: str


class DivisionEntry(BaseModel):
    """A division in a list."""

    code: str
    name: str
    level: DivisionLevel
    parent_code: str | None
    community_kind: CommunityKind | None
    path: str = Field(description="完整名称", examples=["山西省/运城市/盐湖区/中城街道"])


class PathMatch(DivisionEntry):
    """A division that a name path leads to."""

    valid_until: date | None = Field(description="已撤销的，最后一天")
    unread: str = Field(description="没有对上的部分；空：全部对上")


class ChangePart(BaseModel):
    """A division before or after a change, under the name it had then."""

    code: str
    name: str


class ChangeRead(BaseModel):
    """区划变更。"""

    id: UUID
    kind: ChangeKind
    effective_on: date
    ordered_by: str = Field(description="批准文件")
    before: list[ChangePart]
    after: list[ChangePart]
    recorded_at: datetime


class DivisionRead(DivisionEntry):
    """A division with its place in the tree. A closed one has `valid_until`."""

    ancestors: list[Ancestor]
    valid_from: date | None
    valid_until: date | None
    source: str
    changes: list[ChangeRead] = Field(description="历次变更，先生效的在前")
    former_names: list[str]
    now: list[Ancestor] = Field(
        description="现在由哪些区划承接：未撤销的就是自己；撤销后无承接的为空"
    )
