"""Requests and answers about entries of the basic catalogue."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, StringConstraints

from contracts.values import DivisionCode
from services.catalogue.basics.content import BasicContent
from services.catalogue.items.texts import Line

BasicCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{6,64}$")]


class BasicCreate(BasicContent):
    """A new entry of a division's basic catalogue."""

    basic_code: BasicCode
    division_code: DivisionCode

    def content(self) -> BasicContent:
        """What the entry says, without which it is."""
        return BasicContent.model_validate(
            self.model_dump(mode="json", exclude={"basic_code", "division_code"})
        )


class BasicUpdate(BasicContent):
    """What the entry says from now on, and why."""

    state: Literal["in-use", "cancelled"] = "in-use"
    reason: Line

    def content(self) -> BasicContent:
        """What the entry says."""
        return BasicContent.model_validate(
            self.model_dump(mode="json", exclude={"state", "reason"})
        )


class BasicRead(BasicContent):
    """An entry of the basic catalogue."""

    id: UUID
    basic_code: str
    division_code: str
    state: Literal["in-use", "cancelled"]
    version: int
    changed_at: datetime


class BasicHistoryRead(BaseModel):
    """One change of an entry."""

    action: str
    version: int
    state: str
    content: BasicContent
    actor_name: str | None
    reason: str | None
    happened_at: datetime
