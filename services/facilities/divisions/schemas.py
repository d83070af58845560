"""Divisions as the API shows them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from contracts.values import DivisionLevel

CommunityKind = Literal["village", "urban_community"]
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


class DivisionRead(DivisionEntry):
    """A division with its place in the tree. A closed one has `valid_until`."""

    ancestors: list[Ancestor]
    valid_from: date | None
    valid_until: date | None
    source: str
