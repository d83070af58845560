"""Requests and answers about bundles."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.values import DivisionCode, ItemCode
from services.catalogue.bundles.content import BundleContent
from services.catalogue.items.texts import Line
from services.catalogue.models import Status


class BundleCreate(BundleContent):
    """A new bundle and its first draft."""

    bundle_code: ItemCode
    division_code: DivisionCode

    def content(self) -> BundleContent:
        """What the bundle says, without which bundle it is."""
        return BundleContent.model_validate(
            self.model_dump(mode="json", exclude={"bundle_code", "division_code"})
        )


class BundleActionRequest(BaseModel):
    """Why; shown to residents when a bundle is retired."""

    model_config = ConfigDict(extra="forbid")

    reason: Line | None = None


class BundleHead(BaseModel):
    """A bundle in a list."""

    id: UUID
    bundle_code: str
    division_code: str
    name: str
    summary: str
    theme: str | None
    status: Status
    version: int | None
    #: For staff: draft or in-review when a new text is being worked on.
    draft_state: Literal["draft", "in-review"] | None = None


class MemberRead(BaseModel):
    """One item of a bundle; of one stage, side by side."""

    item_id: UUID
    item_code: str
    name: str
    stage: int


class NeedRead(BaseModel):
    """An item that needs a material."""

    item_id: UUID
    item_name: str
    material_code: str


class MaterialRead(BaseModel):
    """一套材料: handed in once, and for which items."""

    code: str
    name: str
    necessity: Literal["required", "deferrable", "waivable", "optional"]
    copies: int
    notes: list[str]
    needed_by: list[NeedRead]


class BundleRead(BundleHead):
    """One bundle with its merged material list and its questions."""

    content: BundleContent
    items: list[MemberRead]
    materials: list[MaterialRead]
    #: Form fields asked once for all items that have them.
    shared_fields: list[str]
    status_reason: str | None
    effective_on: date | None
    published_at: datetime | None
    draft: BundleContent | None = None
    draft_author_name: str | None = None


class VerdictRead(BaseModel):
    """Whether an item applies, and why; null while an answer is missing."""

    item_id: UUID
    item_name: str
    applies: bool | None
    because: str


class Eligibility(BaseModel):
    """What the answers given so far mean."""

    items: list[VerdictRead]
    #: The code of the question to ask next; null when all is decided.
    next_question: str | None
    #: Of the items that apply: each once.
    materials: list[MaterialRead]


class BundleVersionRead(BaseModel):
    """One published version as it stood."""

    number: int
    content: BundleContent
    published_at: datetime
    effective_on: date
    reason: str | None = None
    author_name: str | None = None
    approver_name: str | None = None


class BundleHistoryRead(BaseModel):
    """One thing that was done to a bundle."""

    action: str
    from_status: Status | None
    to_status: Status
    version_number: int | None
    actor_name: str | None
    reason: str | None
    happened_at: datetime
