"""Wishes as residents make them, needs as staff count them, and the lists told."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from contracts.values import DivisionCode
from services.evaluation.demand.rules import MAX_TOPIC, MIN_TOPIC, fold
from services.evaluation.models import NeedKind


def _fold(topic: str) -> str:
    folded = fold(topic)
    if not MIN_TOPIC <= len(folded) <= MAX_TOPIC:
        raise ValueError(f"应为 {MIN_TOPIC} 至 {MAX_TOPIC} 个字")
    return folded


Topic = Annotated[str, StringConstraints(max_length=100), AfterValidator(_fold)]
Detail = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class WishCreate(BaseModel):
    """心愿."""

    model_config = ConfigDict(extra="forbid")

    division_code: DivisionCode = Field(description="希望在哪个村（社区）有")
    topic: Topic = Field(description="想要的服务或设施，如 老年食堂；不要写个人信息")
    kind: NeedKind | None = Field(default=None, description="缺的是服务还是场所")
    detail: Detail | None = Field(default=None, description="具体说明，只有本人能看到原文")


class WishReceipt(BaseModel):
    """What a wish became; without its detail: answers are kept for repeats, in the clear."""

    id: UUID
    month: date
    division_code: str
    topic: str
    kind: NeedKind | None
    wished_at: datetime


class WishRead(WishReceipt):
    """A wish as the resident who made it sees it."""

    detail: str | None


class NeedRead(BaseModel):
    """Something asked for and not found, without who."""

    topic: str
    division_code: str
    searches: int = Field(description="搜索无结果的次数")
    wishes: int = Field(description="提出心愿的人数")
    refusals: int = Field(description="不予受理的申请数")
    asked: int = Field(description="以上合计")
    kind: NeedKind | None = Field(description="多数心愿说缺的是服务还是场所；说不清时为空")


class NeedListRead(BaseModel):
    """未满足需求清单."""

    id: UUID
    division_code: str
    month: date
    listed_at: datetime
    needs: list[NeedRead]
