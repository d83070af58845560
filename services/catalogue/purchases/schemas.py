"""Requests and answers about purchases."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.values import DepartmentCode, DivisionCode
from services.catalogue.items.texts import Line, Name, Paragraph, Part
from services.catalogue.models import Stage
from services.catalogue.vocabulary import SupplyCategory

Cents = Annotated[int, Field(ge=0, le=1_000_000_000_000)]
#: The length stands apart: counted in the pattern it costs a megabyte wherever one is given.
Address = Annotated[str, StringConstraints(max_length=508, pattern=r"^https?://[^\s]{3}[^\s]*$")]


class ServicePut(Part):
    """A service of the guiding list."""

    name: Name
    supply_category: SupplyCategory
    description: Paragraph
    #: What the villages say that were asked. Source: 意见 二（一）2, 在征求村级组织意见基础上.
    village_opinion: Paragraph
    document: Line
    valid_from: date
    valid_until: date | None = None


class ServiceRead(BaseModel):
    """A service of the guiding list."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    division_code: str
    code: str
    name: str
    supply_category: SupplyCategory
    description: str
    village_opinion: str
    document: str
    valid_from: date
    valid_until: date | None
    version: int


class Document(Part):
    """A document of a stage."""

    name: Name
    number: Line | None = None
    #: Where it is published.
    address: Address | None = None


class StageBase(Part):
    """When a stage was reached, and by which documents."""

    happened_on: date
    documents: Annotated[tuple[Document, ...], Field(min_length=1, max_length=30)]
    words: Line


class ProjectCreate(StageBase):
    """立项."""

    service_id: UUID
    division_code: DivisionCode
    department: DepartmentCode
    name: Name


class StageReach(StageBase):
    """The next stage, with the figures it brings."""

    budget_cents: Cents | None = None
    supplier: Name | None = None
    contract_cents: Cents | None = None
    evaluation_points: Annotated[int, Field(ge=0, le=100)] | None = None


class StageRead(BaseModel):
    """A stage that was reached."""

    model_config = ConfigDict(from_attributes=True)

    stage: Stage
    happened_on: date
    documents: list[Document]
    words: str
    actor_name: str | None
    recorded_at: datetime


class ProjectHead(BaseModel):
    """A project in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    service_id: UUID
    division_code: str
    department: str
    name: str
    stage: Stage
    version: int
    budget_cents: int | None
    contract_cents: int | None
    supplier: str | None
    evaluation_points: int | None


class ProjectRead(ProjectHead):
    """A project with its stages, in their order."""

    steps: list[StageRead]


NextStage = Literal["budgeted", "announced", "managed", "evaluated", "cancelled"]
