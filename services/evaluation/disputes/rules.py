"""Who may rule on a dispute, and who may reverse a ruling."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.evaluation.models import DisputeState


@dataclass(frozen=True, slots=True)
class Reviewing:
    """A dispute, and the person who would rule on it or reverse the ruling."""

    state: DisputeState
    unit_code: str | None
    raised_by: UUID
    ruled_by: UUID | None
    is_reversed: bool
    reviewer: UUID
    reviewer_unit: str | None


class Refusal(StrEnum):
    """Why somebody may not."""

    same_unit = "same-unit"
    same_person = "same-person"
    ruled_already = "ruled-already"
    not_ruled = "not-ruled"
    reversed_already = "reversed-already"


def ruling_refusal(reviewing: Reviewing) -> Refusal | None:
    """Why a person may not rule, or None. Source: 误评、恶意差评 are reviewed by another unit."""
    if _is_same_unit(reviewing):
        return Refusal.same_unit
    if reviewing.reviewer == reviewing.raised_by:
        return Refusal.same_person
    return None if reviewing.state is DisputeState.open else Refusal.ruled_already


def reversal_refusal(reviewing: Reviewing) -> Refusal | None:
    """Why a person may not reverse the ruling, or None: not who made it, and only once."""
    if _is_same_unit(reviewing):
        return Refusal.same_unit
    if reviewing.reviewer in (reviewing.raised_by, reviewing.ruled_by):
        return Refusal.same_person
    if reviewing.state is DisputeState.open:
        return Refusal.not_ruled
    return Refusal.reversed_already if reviewing.is_reversed else None


def reversed_state(state: DisputeState) -> DisputeState:
    """What a ruling becomes by its reversal."""
    upheld = state is DisputeState.upheld
    return DisputeState.rejected if upheld else DisputeState.upheld


def _is_same_unit(reviewing: Reviewing) -> bool:
    """A reviewer without a unit belongs to none that could be another one."""
    return reviewing.reviewer_unit in (None, reviewing.unit_code)
