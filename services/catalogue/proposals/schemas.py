"""Answers about proposals."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.catalogue.items.texts import Line
from services.catalogue.models import ProposalKind, ProposalState


class Decision(BaseModel):
    """Why it was accepted or dismissed."""

    model_config = ConfigDict(extra="forbid")

    reason: Line


class ProposalRead(BaseModel):
    """What the figures suggest."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    division_code: str
    kind: ProposalKind
    name: str
    admission_id: UUID | None
    grounds: list[dict[str, Any]]
    state: ProposalState
    version: int
    decided_by_name: str | None
    reason: str | None
    decided_at: datetime | None
    created_at: datetime
