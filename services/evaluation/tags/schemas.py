"""Rating tags as the API shows them and as the data file holds them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.values import RatingLevel

#: Tag codes are three digits whose first is the level's number of stars.
TagCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,16}$")]


class RatingTagRead(BaseModel):
    """One tag."""

    code: str
    level: RatingLevel
    text: str | None = Field(description="停用的第一版标签没有可考的文字")
    version: int
    is_base: bool = Field(description="先显示的标签；其余展开后显示")
    is_retired: bool


class RatingTagList(BaseModel):
    """Tags, the ones shown first at the head."""

    items: list[RatingTagRead]


class TagEntry(BaseModel):
    """One tag of the data file."""

    model_config = ConfigDict(extra="forbid")

    code: TagCode
    text: str | None
    base: bool
    version: int
    retired: bool


class LevelEntry(BaseModel):
    """The tags of one level in the data file."""

    level: RatingLevel
    tags: list[TagEntry]


class TagFile(BaseModel):
    """data/evaluation/tags.yaml."""

    levels: list[LevelEntry]
