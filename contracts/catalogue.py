"""Events of the catalogue: the full state of items, bundles and admissions, and what was not found."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

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


class FeeEntry(_Part):
    """收费项目 with its standard, in words."""

    name: str
    standard: str


class Fee(_Part):
    """收费: whether there is one, on what basis, and what for."""

    charged: bool
    basis: str | None = None
    entries: tuple[FeeEntry, ...] = ()


class ItemState(Event):
    """Everything another service may need of an item; consumers keep it as their copy."""

    topic: ClassVar[str] = CATALOGUE
    key_field: ClassVar[str] = "item_id"
    #: How the item stands from this event on.
    status: ClassVar[Literal["published", "paused", "retired"]]

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
    #: None in states told before fees were.
    fee: Fee | None = None
    #: Revision of the catalogue at this change: a later state of an item has a higher one,
    #: whichever clock wrote `recorded_at`.
    revision: int = Field(default=0, ge=0)
    recorded_at: datetime


class ItemPublished(ItemState):
    """已发布: the item may be applied for, for the first time or again after a pause.

    Logs from before `ItemRevised` tell later versions by this event, too.
    """

    event_type: ClassVar[str] = "cn.yichuang.catalogue.item-published.v1"
    status = "published"


class ItemRevised(ItemState):
    """修订: a later version of an item that may be applied for took effect.

    A new version of a paused item is told by `ItemPaused`: it stays paused.
    """

    event_type: ClassVar[str] = "cn.yichuang.catalogue.item-revised.v1"
    status = "published"


class ItemPaused(ItemState):
    """暂停: shown, but not to be applied for now."""

    event_type: ClassVar[str] = "cn.yichuang.catalogue.item-paused.v1"
    status = "paused"
    reason: str


class ItemRetired(ItemState):
    """取消: no longer offered; cases under way keep their version."""

    event_type: ClassVar[str] = "cn.yichuang.catalogue.item-retired.v1"
    status = "retired"
    reason: str


#: Every event that tells how an item stands: who keeps a copy of items takes all of them.
ITEM_STATES: tuple[type[ItemState], ...] = (ItemPublished, ItemRevised, ItemPaused, ItemRetired)


#: Question, answer and material codes: kebab-case.
_Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class BundleItem(_Part):
    """One item of a bundle."""

    item_id: UUID
    item_code: ItemCode
    name: str
    #: Items of one stage are handled side by side (并联); a stage begins when the one before ended.
    stage: int = Field(ge=1)


class BundleNeed(_Part):
    """An item that needs a material, and the code under which it knows it."""

    item_id: UUID
    material_code: str


class BundleMaterial(_Part):
    """A material of the merged list: handed in once for every item that needs it."""

    code: _Slug
    name: str
    #: The strictest among the items that need it.
    necessity: Literal["required", "optional", "deferrable", "waivable"]
    needed_by: tuple[BundleNeed, ...]


class BundleOption(_Part):
    """An answer that can be chosen."""

    code: _Slug
    text: str


class BundleQuestion(_Part):
    """A question that decides which items apply."""

    code: _Slug
    text: str
    options: tuple[BundleOption, ...]


class BundleCondition(_Part):
    """The question was answered by one of these options."""

    question: _Slug
    any_of: tuple[_Slug, ...]


class BundleRule(_Part):
    """An item applies when every condition of one of its rules holds; without rules, always."""

    item_id: UUID
    when: tuple[BundleCondition, ...]
    #: Why it then applies, in words for residents.
    because: str


class BundleState(Event):
    """高效办成一件事: several items in one application, with everything a submission needs."""

    topic: ClassVar[str] = CATALOGUE
    key_field: ClassVar[str] = "bundle_id"

    bundle_id: UUID
    bundle_code: ItemCode
    version: int = Field(ge=1)
    name: str
    summary: str
    #: The subtree in which the bundle is offered.
    division_code: DivisionCode
    theme: str | None
    channels: tuple[Channel, ...]
    items: tuple[BundleItem, ...]
    materials: tuple[BundleMaterial, ...]
    questions: tuple[BundleQuestion, ...]
    rules: tuple[BundleRule, ...]
    #: Form fields that mean the same in every item that has them: asked once, copied to each.
    shared_fields: tuple[str, ...]
    provisional: bool
    effective_on: date
    #: Revision of the catalogue at this change: a later state of a bundle has a higher one.
    revision: int = Field(ge=1)
    recorded_at: datetime


class BundlePublished(BundleState):
    """已发布: the bundle may be applied for; told again when one of its items changes."""

    event_type: ClassVar[str] = "cn.yichuang.catalogue.bundle-published.v1"


class BundleRetired(BundleState):
    """取消: no longer offered as one matter; its items may go on."""

    event_type: ClassVar[str] = "cn.yichuang.catalogue.bundle-retired.v1"
    reason: str


class AdmissionRecorded(Event):
    """准入: what a county has let a department hand to its villages, with its full state.

    Told from the county's approval on. Without an admission in force nothing of a department goes
    to a village.
    """

    event_type: ClassVar[str] = "cn.yichuang.catalogue.admission-recorded.v1"
    topic: ClassVar[str] = CATALOGUE
    key_field: ClassVar[str] = "admission_key"

    #: `admission:<admission id>`.
    admission_key: str
    admission_id: UUID
    #: Grows with every change: a reader keeps the highest.
    version: int = Field(ge=1)
    #: 工作事项, 填报表格, 考核评比, 印章使用.
    kind: Literal["item", "form", "assessment", "seal-use"]
    name: str
    #: The item of the catalogue it hands over; only with the kind `item`.
    item_id: UUID | None
    item_code: ItemCode | None
    #: The county in whose villages and communities it holds.
    division_code: DivisionCode
    #: The department whose matter it is.
    department: DepartmentCode
    #: 准入批准文号.
    approval_number: str
    valid_from: date
    #: The last day on which it holds.
    valid_until: date
    #: How often a form or an assessment may be asked for in a year.
    times_per_year: int | None = Field(default=None, ge=1, le=366)
    #: admitted: in force between its days; expired: its last day has passed; ended: 退出.
    state: Literal["admitted", "expired", "ended"]
    recorded_at: datetime


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
