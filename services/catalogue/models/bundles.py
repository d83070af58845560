"""Bundles (高效办成一件事) with drafts, versions and history, and themes (主题)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.catalogue.models.base import Base, jsonb, one_of, written_at
from services.catalogue.models.items import DraftState, Status


class Bundle(Base, table=True):
    """Several items done as one matter. What it says lies in its draft and versions."""

    __tablename__ = "bundle"
    __table_args__ = (
        UniqueConstraint("division_code", "bundle_code"),
        CheckConstraint(one_of("status", Status), name="status"),
        CheckConstraint(
            "(status IN ('draft', 'in-review')) = (current_version IS NULL)",
            name="version_when_published",
        ),
    )

    id: UUID = Field(primary_key=True)
    bundle_code: str
    division_code: str
    status: str = Field(index=True)
    #: Grows with every change of the row; travels as ETag and If-Match.
    version: int
    current_version: int | None = None
    #: Catalogue revision of the last public change.
    revision: int | None = Field(default=None, sa_type=BigInteger, index=True)
    status_reason: str | None = None
    name: str
    theme: str | None = Field(default=None, index=True)
    created_at: datetime = written_at()
    changed_at: datetime = written_at()


class BundleDraft(Base, table=True):
    """The working copy of a bundle: at most one, gone when it is published."""

    __tablename__ = "bundle_draft"
    __table_args__ = (CheckConstraint(one_of("state", DraftState), name="state"),)

    bundle_id: UUID = Field(primary_key=True, foreign_key="bundle.id")
    state: str
    content: dict[str, Any] = jsonb()
    #: Everybody who wrote in it; none of them may publish it.
    authors: list[str] = Field(sa_type=ARRAY(Text))
    author_name: str | None = None
    saved_at: datetime = written_at()


class BundleVersion(Base, table=True):
    """What was published; a trigger refuses any change."""

    __tablename__ = "bundle_version"

    bundle_id: UUID = Field(primary_key=True, foreign_key="bundle.id")
    number: int = Field(primary_key=True)
    content: dict[str, Any] = jsonb()
    #: Pinyin of name and aliases, for search.
    spelling: str
    authors: list[str] = Field(sa_type=ARRAY(Text))
    author_name: str | None = None
    approver: str
    approver_name: str | None = None
    reason: str | None = None
    published_at: datetime = written_at()
    effective_on: date


class BundleMember(Base, table=True):
    """An item of a bundle's published version: what is asked when an item changes."""

    __tablename__ = "bundle_member"

    bundle_id: UUID = Field(primary_key=True, foreign_key="bundle.id")
    item_id: UUID = Field(primary_key=True, foreign_key="item.id", index=True)


class BundleHistory(Base, table=True):
    """Who did what to a bundle and why; append-only."""

    __tablename__ = "bundle_history"

    id: UUID = Field(primary_key=True)
    bundle_id: UUID = Field(foreign_key="bundle.id", index=True)
    action: str
    from_status: str | None = None
    to_status: str
    version_number: int | None = None
    actor: str
    actor_name: str | None = None
    reason: str | None = None
    happened_at: datetime = written_at()


class Theme(Base, table=True):
    """主题: a heading under which residents look for items and bundles."""

    __tablename__ = "theme"
    __table_args__ = (
        UniqueConstraint("division_code", "code"),
        CheckConstraint("subject IN ('person', 'organisation')", name="subject"),
    )

    id: UUID = Field(primary_key=True)
    #: Where it is kept, and shown to everybody below.
    division_code: str
    code: str
    name: str
    #: 自然人主题 or 法人主题.
    subject: str
    aliases: list[str] = Field(sa_type=ARRAY(Text))
    spelling: str
    position: int
    provisional: bool
    source: str
    version: int
    changed_by: str
    changed_at: datetime = written_at()


class ThemeItem(Base, table=True):
    """An item under a theme."""

    __tablename__ = "theme_item"

    theme_id: UUID = Field(primary_key=True, foreign_key="theme.id")
    item_id: UUID = Field(primary_key=True, foreign_key="item.id", index=True)
    position: int
