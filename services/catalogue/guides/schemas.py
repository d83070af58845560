"""The guide to an item as it is answered."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel


class GuideMaterial(BaseModel):
    """A material in words."""

    name: str
    necessity: str
    source: str
    form: str
    copies: int
    note: str | None
    how_to_fill: str | None


class GuideChoice(BaseModel):
    """An answer; `chosen` when the reader gave it."""

    key: str
    name: str
    chosen: bool


class GuideSituation(BaseModel):
    """A question whose answer decides which materials are wanted."""

    question: str
    choices: list[GuideChoice]


class GuideSection(BaseModel):
    """A heading and what stands below it, line by line."""

    heading: str
    lines: list[str]


class Guide(BaseModel):
    """办事指南."""

    item_id: UUID
    item_code: str
    version: int
    effective_on: date
    mode: Literal["full", "elder"]
    title: str
    status_text: str
    summary: str
    #: Elder mode has a few, as short questions; the full guide has every element.
    sections: list[GuideSection]
    materials: list[GuideMaterial]
    situations: list[GuideSituation]
    #: Where the guide is to be had; what the QR code holds.
    address: str
