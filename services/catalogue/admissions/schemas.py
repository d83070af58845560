"""Requests and answers about admissions."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.values import DivisionCode
from services.catalogue.admissions.content import AdmissionContent, Funds
from services.catalogue.items.texts import Line
from services.catalogue.models import AdmissionKind, AdmissionState

#: 准入批准文号.
ApprovalNumber = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=3, max_length=80)
]


class AdmissionCreate(AdmissionContent):
    """A department's proposal to hand something to the villages of a county."""

    kind: AdmissionKind
    division_code: DivisionCode
    item_id: UUID | None = None

    def content(self) -> AdmissionContent:
        """What is proposed, without where and for which item."""
        kept = self.model_dump(mode="json", exclude={"kind", "division_code", "item_id"})
        return AdmissionContent.model_validate(kept)


class AdmissionStep(BaseModel):
    """What comes with a step; which of it is needed depends on the step."""

    model_config = ConfigDict(extra="forbid")

    reason: Line | None = None
    #: The townships whose opinion is asked, and the last day they may give it.
    townships: Annotated[tuple[DivisionCode, ...], Field(min_length=1, max_length=200)] | None = (
        None
    )
    until: date | None = None
    approval_number: ApprovalNumber | None = None
    valid_from: date | None = None
    valid_until: date | None = None


class OpinionGive(BaseModel):
    """A township's opinion."""

    model_config = ConfigDict(extra="forbid")

    supports: bool
    words: Line


class OpinionRead(BaseModel):
    """What a township says."""

    township: str
    supports: bool
    words: str
    officer_name: str | None
    given_at: datetime


class AdmissionRead(BaseModel):
    """A proposal, or what became of it."""

    id: UUID
    kind: AdmissionKind
    name: str
    item_id: UUID | None
    division_code: str
    department: str
    state: AdmissionState
    version: int
    content: AdmissionContent
    funds: Funds | None
    townships: list[str]
    consult_until: date | None
    approval_number: str | None
    valid_from: date | None
    valid_until: date | None
    review_on: date | None
    #: The yearly review is due.
    review_due: bool
    created_at: datetime
    changed_at: datetime


class AdmissionWhole(AdmissionRead):
    """The same with what the townships say, and how often the item was used in twelve months."""

    opinions: list[OpinionRead]
    cases_in_twelve_months: int | None


class AdmissionHistoryRead(BaseModel):
    """One thing that was done."""

    action: str
    from_state: AdmissionState | None
    to_state: AdmissionState
    actor_name: str | None
    reason: str | None
    happened_at: datetime


class ListEntry(BaseModel):
    """One line of a village list."""

    admission_id: UUID
    name: str
    item_id: UUID | None
    department: str
    basis: str
    duties: str
    times_per_year: int | None
    approval_number: str
    valid_from: date
    valid_until: date


class CapPut(BaseModel):
    """总量: at most so many, by which document."""

    model_config = ConfigDict(extra="forbid")

    most: Annotated[int, Field(ge=0, le=10_000)]
    document: Line


class CapRead(BaseModel):
    """How many may be handed to villages, and how many are."""

    division_code: str
    kind: AdmissionKind
    most: int
    admitted: int
    document: str
    version: int


ListKind = Literal["item", "form", "assessment", "seal-use"]


def read_of(row: Any, today: date) -> dict[str, Any]:
    """A row as `AdmissionRead` describes it."""
    content = {key: value for key, value in row.content.items() if key != "funds"}
    kept = (
        "id", "kind", "name", "item_id", "division_code", "department", "state", "version",
        "townships", "consult_until", "approval_number", "valid_from", "valid_until", "review_on",
        "created_at", "changed_at",
    )  # fmt: skip
    due = row.state == AdmissionState.admitted and row.review_on is not None
    return {
        **{name: getattr(row, name) for name in kept},
        "content": content,
        "funds": row.content.get("funds"),
        "review_due": due and row.review_on <= today,
    }
