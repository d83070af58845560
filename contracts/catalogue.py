"""Events of the catalogue: the full state of a service item (政务服务事项), and what was not found."""

from datetime import date, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.envelope import Event
from contracts.topics import CATALOGUE, CATALOGUE_FACTS
from contracts.values import (
    Channel,
    DepartmentCode,
    DivisionCode,
    DivisionLevel,
    ItemCode,
    PositiveDays,
    ProjectKind,
    TimeUnit,
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Limits(_Part):
    """办结时限: legal and promised, each with its unit."""

    project_kind: ProjectKind
    promised_days: PositiveDays
    promised_unit: TimeUnit
    statutory_days: PositiveDays | None = None
    statutory_unit: TimeUnit | None = None


class Material(_Part):
    """材料: what an applicant hands in."""

    code: str
    name: str
    necessity: Literal["required", "optional", "deferrable", "waivable"]


class ItemState(Event):
    """Everything another service may need of an item; consumers keep it as their copy."""

    topic: ClassVar[str] = CATALOGUE
    key_field: ClassVar[str] = "item_id"

    item_id: UUID
    item_code: ItemCode
    version: int = Field(ge=1)
    name: str
    summary: str
    #: The subtree in which the item is offered.
    division_code: DivisionCode
    supply_category: str
    item_kind: str
    triage_class: Literal["government-public", "village-public", "villager-personal"]
    task_type: str
    #: The department that decides, and the level at which it does.
    department: DepartmentCode
    level: DivisionLevel
    #: The levels at which it may be handed in.
    accepts_at: tuple[DivisionLevel, ...]
    channels: tuple[Channel, ...]
    limits: Limits
    materials: tuple[Material, ...]
    #: JSON Schema 2020-12 of the answers.
    form: dict[str, Any]
    provisional: bool
    effective_on: date
    #: Revision of the catalogue at this change: a later state of an item has a higher one,
    #: whichever clock wrote `recorded_at`.
    revision: int = Field(default=0, ge=0)
    recorded_at: datetime


class ItemPublished(ItemState):
    """已发布: the item may be applied for."""

    event_type: ClassVar[str] = "cn.yichuang.catalogue.item-published.v1"


class ItemPaused(ItemState):
    """暂停: shown, but not to be applied for now."""

    event_type: ClassVar[str] = "cn.yichuang.catalogue.item-paused.v1"
    reason: str


class ItemRetired(ItemState):
    """取消: no longer offered; cases under way keep their version."""

    event_type: ClassVar[str] = "cn.yichuang.catalogue.item-retired.v1"
    reason: str


class SearchMissed(Event):
    """搜索无结果: how often residents of a division searched for something and found nothing.

    Gathered by each process for a while and told together; a query that looks like personal data
    (a number, a telephone) is never told.
    """

    event_type: ClassVar[str] = "cn.yichuang.catalogue.search-missed.v1"
    topic: ClassVar[str] = CATALOGUE_FACTS
    key_field: ClassVar[str] = "division_code"

    #: Where the searcher said to be; the county or higher when no village was named.
    division_code: DivisionCode
    #: As the index reads it: folded width and case, without spaces.
    query: str = Field(min_length=2, max_length=40)
    searches: int = Field(ge=1)
    occurred_on: date
    occurred_at: datetime
