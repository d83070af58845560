"""Requests and answers about approvals of imports."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.catalogue.items.texts import Line


class ApprovalCreate(BaseModel):
    """Why the whole import is approved; goes into the history of each of its items."""

    model_config = ConfigDict(extra="forbid")

    reason: Line


class ApprovalRead(BaseModel):
    """How far the publication of an approved import has got."""

    import_id: UUID
    approver_name: str | None
    reason: str | None
    published: int
    #: Written by the approver, or against a rule by now: left in review, one by one.
    left_over: int
    waiting: int
    decided_at: datetime
    finished_at: datetime | None


class PresetRead(BaseModel):
    """A way to name columns and write codes."""

    name: str
    title: str
