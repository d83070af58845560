"""Items, their drafts, versions and history, and the copy of their scores."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.catalogue.models.base import Base, one_of, written_at


class Status(StrEnum):
    """事项状态. Draft and in-review are items that were never published."""

    draft = "draft"
    in_review = "in-review"
    published = "published"
    paused = "paused"
    retired = "retired"


class DraftState(StrEnum):
    """What happens to the working copy: written, or lying with the approver."""

    draft = "draft"
    in_review = "in-review"
    #: Approved, to be published on a day to come.
    scheduled = "scheduled"


class Item(Base, table=True):
    """A matter that can be done in a division. What it says lies in its draft and versions."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("division_code", "item_code"),
        CheckConstraint(one_of("status", Status), name="status"),
        CheckConstraint("tier IN ('implementation', 'handling')", name="tier"),
        CheckConstraint(
            "(status IN ('draft', 'in-review')) = (current_version IS NULL)",
            name="version_when_published",
        ),
    )

    id: UUID = Field(primary_key=True)
    item_code: str
    division_code: str
    status: str = Field(index=True)
    #: Grows with every change of the row; travels as ETag and If-Match.
    version: int
    #: Number of the published version; none before the first publication.
    current_version: int | None = None
    #: Catalogue revision of the last public change; what a reader of changes resumes from.
    revision: int | None = Field(default=None, sa_type=BigInteger, index=True)
    #: Why it is paused or retired, in words for residents.
    status_reason: str | None = None
    # The columns lists are filtered by: of the published version, or of the first draft.
    name: str
    supply_category: str = Field(index=True)
    department: str = Field(index=True)
    #: 实施清单 entry or 业务办理项, and the codes that tie the levels together.
    tier: str = Field(
        default="implementation", sa_column_kwargs={"server_default": "implementation"}
    )
    basic_code: str | None = Field(default=None, index=True)
    implementation_code: str | None = Field(default=None, index=True)
    created_at: datetime = written_at()
    changed_at: datetime = written_at()


class ItemDraft(Base, table=True):
    """The working copy of an item: at most one, gone when it is published."""

    __tablename__ = "item_draft"
    __table_args__ = (
        CheckConstraint(one_of("state", DraftState), name="state"),
        CheckConstraint(
            "(state = 'scheduled') = (publish_on IS NOT NULL AND approver IS NOT NULL)",
            name="approved_when_scheduled",
        ),
    )

    item_id: UUID = Field(primary_key=True, foreign_key="item.id")
    state: str
    content: dict[str, Any] = Field(sa_type=JSONB)
    #: Everybody who wrote in it; none of them may publish it.
    authors: list[str] = Field(sa_type=ARRAY(Text))
    author_name: str | None = None
    saved_at: datetime = written_at()
    # Of a scheduled draft: who approved it, why, and the day (in China) it is published on.
    publish_on: date | None = None
    approver: str | None = None
    approver_name: str | None = None
    approval_reason: str | None = None
    #: The import that wrote it last; approved together with the others of it.
    import_id: UUID | None = Field(default=None, index=True)


class ItemVersion(Base, table=True):
    """What was published; a trigger refuses any change."""

    __tablename__ = "item_version"

    item_id: UUID = Field(primary_key=True, foreign_key="item.id")
    number: int = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_type=JSONB)
    content_hash: bytes = Field(sa_type=LargeBinary)
    # The columns the search index is loaded from.
    name: str
    aliases: list[str] = Field(sa_type=ARRAY(Text))
    summary: str
    #: Pinyin of name and aliases; made once, because spelling costs 15 µs a character.
    spelling: str
    #: Account ids, or "seed".
    authors: list[str] = Field(sa_type=ARRAY(Text))
    author_name: str | None = None
    approver: str
    approver_name: str | None = None
    reason: str | None = None
    published_at: datetime = written_at()
    effective_on: date


class ItemHistory(Base, table=True):
    """Who did what to an item and why; append-only."""

    __tablename__ = "item_history"
    __table_args__ = (
        CheckConstraint(one_of("from_status", Status), name="from_status"),
        CheckConstraint(one_of("to_status", Status), name="to_status"),
    )

    id: UUID = Field(primary_key=True)
    item_id: UUID = Field(foreign_key="item.id", index=True)
    action: str
    from_status: str | None = None
    to_status: str
    #: The published version it concerned.
    version_number: int | None = None
    actor: str
    actor_name: str | None = None
    reason: str | None = None
    happened_at: datetime = written_at()


class CatalogueRevision(Base, table=True):
    """One row, locked by every transaction that changes what the public sees.

    Because the lock is held until the commit, revisions become visible in their order: whoever
    has read up to one has missed nothing below it.
    """

    __tablename__ = "catalogue_revision"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    revision: int = Field(sa_type=BigInteger)


class ItemScore(Base, table=True):
    """Copy of evaluation's score of an item. Only what the events say, so that it can be rebuilt."""

    __tablename__ = "item_score"

    item_id: UUID = Field(primary_key=True)
    #: Of the event; an older one is ignored.
    revision: int = Field(sa_type=BigInteger)
    counts: dict[str, int] = Field(sa_type=JSONB)
    rated: int
    satisfaction_ratio: float | None = None
    average_stars: float | None = None
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))
