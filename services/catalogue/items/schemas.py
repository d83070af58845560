"""Requests and answers about items."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.values import Channel, DivisionCode, DivisionLevel, ItemCode
from services.catalogue.items.content import ItemContent, ItemLimits
from services.catalogue.items.elements import Tier
from services.catalogue.items.texts import Line
from services.catalogue.models import Status
from services.catalogue.scores.schemas import ScoreRead
from services.catalogue.vocabulary import SupplyCategory


class ItemCreate(ItemContent):
    """A new item and its first draft."""

    item_code: ItemCode
    division_code: DivisionCode

    def content(self) -> ItemContent:
        """What the item says, without which item it is."""
        return ItemContent.model_validate(
            self.model_dump(mode="json", exclude={"item_code", "division_code"})
        )


class ActionRequest(BaseModel):
    """Why; shown to residents when an item is paused or retired."""

    model_config = ConfigDict(extra="forbid")

    reason: Line | None = None
    #: Of a publication: the day to come (in China) on which it happens.
    publish_on: date | None = None


class DraftRead(BaseModel):
    """The working copy, for staff."""

    state: Literal["draft", "in-review", "scheduled"]
    author_name: str | None
    saved_at: datetime
    publish_on: date | None = None
    approver_name: str | None = None
    content: ItemContent


class ItemHead(BaseModel):
    """An item in a list."""

    id: UUID
    item_code: str
    division_code: str
    name: str
    summary: str
    supply_category: SupplyCategory
    department: str
    level: DivisionLevel
    channels: list[Channel]
    around_the_clock: bool
    limits: ItemLimits
    #: 实施清单 or 业务办理项, and the codes that tie the three levels.
    tier: Tier
    basic_code: str | None
    implementation_code: str | None
    status: Status
    #: What the status means for a resident.
    status_text: str
    #: For staff: draft or in-review when a new text is being worked on.
    draft_state: Literal["draft", "in-review", "scheduled"] | None = None
    score: ScoreRead


class ItemRead(ItemContent):
    """One item with everything a resident or another program needs of it."""

    id: UUID
    item_code: str
    division_code: str
    status: Status
    status_text: str
    version: int | None = Field(description="已发布的版本号")
    effective_on: date | None
    published_at: datetime | None
    score: ScoreRead
    draft: DraftRead | None = None


class VersionHead(BaseModel):
    """One published version in the list of versions."""

    number: int
    name: str
    published_at: datetime
    effective_on: date
    author_name: str | None = None
    approver_name: str | None = None
    reason: str | None = None


class VersionRead(VersionHead):
    """One published version as it stood; cases keep the one they were submitted under."""

    item_id: UUID
    item_code: str
    division_code: str
    content: ItemContent


class HistoryRead(BaseModel):
    """One thing that was done to an item."""

    action: str
    from_status: Status | None
    to_status: Status
    version_number: int | None
    actor_name: str | None
    reason: str | None
    happened_at: datetime


class Difference(BaseModel):
    """One element that two texts say differently; null where one says nothing."""

    path: str
    before: Any
    after: Any


class Comparison(BaseModel):
    """What a version, or the draft, says differently from an earlier version."""

    before: int
    #: Null for the draft.
    after: int | None
    changes: list[Difference]
