"""Disputes: what units and reviewers send, and what they see."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.evaluation.attachments import AttachmentRead
from services.evaluation.models import DisputeGround, DisputeState
from services.evaluation.rectifications.schemas import Words


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DisputeCreate(_Body):
    """申诉."""

    ground: DisputeGround = Field(description="mistaken 误评，malicious 恶意差评")
    statement: Words = Field(description="申诉理由和依据")


class Ruling(_Body):
    """复核结论."""

    upheld: bool = Field(description="申诉是否成立；成立则评价不计入")
    reason: Words


class Reversal(_Body):
    """推翻复核结论."""

    reason: Words


class DisputeSummary(BaseModel):
    """A line of the list. Without what was written: answers to steps are kept for repeats."""

    id: UUID
    rectification_id: UUID
    rating_id: UUID
    unit_code: str | None
    ground: DisputeGround
    state: DisputeState
    is_reversed: bool
    raised_on: date
    version: int


class DisputeRead(DisputeSummary):
    """One dispute, with its evidence and rulings."""

    statement: str
    raised_by_name: str | None
    ruling: str | None
    ruled_by_name: str | None
    ruled_unit: str | None
    reversal: str | None
    reversed_by_name: str | None
    evidence: list[AttachmentRead]
