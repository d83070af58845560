"""Answers of search."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from contracts.values import Channel, DivisionLevel
from services.catalogue.items.content import ItemLimits
from services.catalogue.models import Status
from services.catalogue.scores.schemas import ScoreRead
from services.catalogue.vocabulary import SupplyCategory


class HighlightRead(BaseModel):
    """命中的文字；ranges 是 [起, 止) 的字符位置。"""

    field: Literal["name", "alias", "summary"]
    text: str
    ranges: list[tuple[int, int]]


class SearchHit(BaseModel):
    """查到的一个事项。"""

    item_id: UUID
    item_code: str
    division_code: str
    name: str
    summary: str
    supply_category: SupplyCategory
    department: str
    level: DivisionLevel
    channels: list[Channel]
    around_the_clock: bool
    agent_service: bool
    limits: ItemLimits
    status: Status
    status_text: str
    score: ScoreRead
    #: similar: nothing has the words as typed, this has most of them.
    #: synonym: it has what the words mean by the list of synonyms.
    matched: Literal["name", "alias", "pinyin", "summary", "synonym", "similar"]
    highlight: HighlightRead | None


class BundleHit(BaseModel):
    """查到的一件事。"""

    bundle_id: UUID
    bundle_code: str
    division_code: str
    name: str
    summary: str
    theme: str | None
    highlight: HighlightRead | None


class ThemeHit(BaseModel):
    """查到的主题。"""

    theme_id: UUID
    code: str
    division_code: str
    name: str
    subject: Literal["person", "organisation"]
    highlight: HighlightRead | None


class SearchResult(BaseModel):
    """查询结果，最相符的在前。"""

    items: list[SearchHit]
    bundles: list[BundleHit]
    themes: list[ThemeHit]


class Suggestion(BaseModel):
    """输入时的一条提示。"""

    text: str
    item_id: UUID
    highlight: HighlightRead | None


class Suggestions(BaseModel):
    """输入提示。"""

    items: list[Suggestion]
