"""Gaps as the API shows them."""

from datetime import date

from pydantic import BaseModel, Field


class WayRead(BaseModel):
    """The cheapest way to close a gap."""

    code: str
    effort: int = Field(description="1 补录 2 调整 3 配备 4 利用存量 5 新建；次序是本项目暂定的")
    words: str


class GapRead(BaseModel):
    """What is lacking."""

    code: str
    words: str
    indicators: list[str] = Field(description="补上后会改善的指标")
    short_by: float | None
    unit: str | None
    way: WayRead


class Evidence(BaseModel):
    """What residents of the village asked for and did not find, in a month."""

    topic: str
    kind: str | None
    month: date
    searches: int
    wishes: int
    refusals: int


class VillageGaps(BaseModel):
    """A village or community with what it lacks, the cheapest to close first."""

    rank: int
    division_code: str
    name: str
    kind: str
    residents: int | None
    asked_for: int = Field(description="近一年居民找过而没有找到的次数")
    gaps: list[GapRead]
    evidence: list[Evidence]


class GapList(BaseModel):
    """短板清单: ranked by what residents asked for, then the number of gaps, then residents."""

    within: str
    communities: int
    without_gaps: int
    items: list[VillageGaps]
    next: str | None
