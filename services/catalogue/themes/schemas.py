"""Requests and answers about themes and categories."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.catalogue.items.texts import Alias, Line, Name, Part


class ThemePut(Part):
    """A theme, whole."""

    name: Name
    #: 自然人主题 or 法人主题.
    subject: Literal["person", "organisation"]
    aliases: Annotated[tuple[Alias, ...], Field(max_length=30)] = ()
    position: Annotated[int, Field(ge=0, le=9_999)] = 0
    source: Line
    provisional: bool = False
    #: In the order in which they are shown.
    items: Annotated[tuple[UUID, ...], Field(max_length=500)] = ()


class ThemeItemRead(BaseModel):
    """An item under a theme."""

    item_id: UUID
    name: str
    division_code: str


class ThemeHead(BaseModel):
    """A theme in a list."""

    id: UUID
    division_code: str
    code: str
    name: str
    subject: Literal["person", "organisation"]
    provisional: bool


class ThemeRead(ThemeHead):
    """A theme with its items and bundles that the public sees."""

    aliases: list[str]
    position: int
    source: str
    version: int
    items: list[ThemeItemRead]
    bundles: list[UUID]
    changed_at: datetime


class CategoryCount(BaseModel):
    """A heading and how many items a division's people find under it."""

    code: str
    name: str
    items: int


class Categories(BaseModel):
    """十类供给、三类村级事项、三种功能."""

    supply_categories: list[CategoryCount]
    item_kinds: list[CategoryCount]
    functions: list[CategoryCount]
