"""Codes of platforms as the API shows them and as the data file holds them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from contracts.values import RatingLevel
from services.evaluation.models import RatingChannel

DEFAULT = "default"
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{2,40}$")]


class PlatformEntry(BaseModel):
    """One platform of the data file."""

    model_config = ConfigDict(extra="forbid")

    platform: Name
    name: str
    source: str
    channels: dict[RatingChannel | Literal["default"], str | None]
    levels: dict[RatingLevel, str]

    @model_validator(mode="after")
    def _whole(self) -> "PlatformEntry":
        if len(self.channels) != len(RatingChannel) + 1 or len(self.levels) != len(RatingLevel):
            raise ValueError("每个渠道和每个等级都要写")
        codes = [code for code in self.channels.values() if code is not None]
        if len(codes) != len(set(codes)) or len(set(self.levels.values())) != len(RatingLevel):
            raise ValueError("一个代码只能代表一样")
        return self


class CodeFile(BaseModel):
    """data/evaluation/codes.yaml."""

    platforms: list[PlatformEntry]


class CodeRead(BaseModel):
    """One name and how a platform writes it."""

    field: Literal["channel", "level"]
    name: str
    code: str | None


class PlatformCodes(BaseModel):
    """All codes of one platform."""

    platform: str
    source: str
    items: list[CodeRead]
