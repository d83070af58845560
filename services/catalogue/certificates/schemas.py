"""Requests and answers about certificates."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.values import DepartmentCode, DivisionCode
from services.catalogue.items.texts import Line, Name, Paragraph, Part
from services.catalogue.models import ListKind, ReportState
from services.catalogue.personal import ImpersonalLine

ListCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,62}$")]


class Instead(Part):
    """Where to go instead."""

    department: DepartmentCode | None = None
    text: Line
    basis: Line | None = None
    provisional: bool = False


class Blank(Part):
    """A blank of a template."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    label: Name


class Template(Part):
    """式样: the text has a `{code}` for each blank."""

    title: Name
    text: Paragraph
    blanks: Annotated[tuple[Blank, ...], Field(max_length=50)] = ()


class EntryContent(Part):
    """One certificate of a list."""

    name: Name
    also_known_as: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    instead: Instead | None = None
    template: Template | None = None
    procedure: Paragraph | None = None


class ListCreate(Part):
    """A new version of a province's list, whole."""

    code: ListCode
    kind: ListKind
    division_code: DivisionCode
    name: Name
    document: Line
    source: Line
    provisional: bool = False
    effective_from: date
    entries: Annotated[tuple[EntryContent, ...], Field(min_length=1, max_length=500)]


class ListHead(BaseModel):
    """Which list, in which version, by which document."""

    id: UUID
    code: str
    kind: ListKind
    division_code: str | None
    name: str
    version: int
    document: str
    source: str
    provisional: bool
    effective_from: date


class ListRead(ListHead):
    """A list with its entries."""

    entries: list[EntryContent]


class CheckRead(BaseModel):
    """May my village certify this?"""

    outcome: Literal["yes", "no", "verify-first"]
    text: str
    #: The name under which a list has it.
    certificate: str | None
    listed_in: ListHead | None
    #: With `no`: where to go instead, when that is known.
    instead: Instead | None
    #: With `yes`: 式样 and 程序, when the province has set them.
    template: Template | None
    procedure: str | None
    #: With `verify-first`: listed certificates of a similar name.
    similar: list[str]


class ReportCreate(BaseModel):
    """A department still demands a certificate that villages do not issue."""

    model_config = ConfigDict(extra="forbid")

    division_code: DivisionCode
    certificate: Name
    department: DepartmentCode
    unit_name: Name
    #: For which matter; without anybody's name or number.
    matter: ImpersonalLine


class ReportStep(BaseModel):
    """What was done, and with `settle` what came of it."""

    model_config = ConfigDict(extra="forbid")

    words: ImpersonalLine
    outcome: Literal["demand-dropped", "checked-online", "demand-stands"] | None = None


class ReportRead(BaseModel):
    """A report and where it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    division_code: str
    certificate: str
    department: str
    unit_name: str
    matter: str
    state: ReportState
    version: int
    outcome: str | None
    reported_at: datetime
    changed_at: datetime


class ReportHistoryRead(BaseModel):
    """One thing that was done about a report."""

    model_config = ConfigDict(from_attributes=True)

    action: str
    from_state: ReportState | None
    to_state: ReportState
    actor_name: str | None
    words: str | None
    happened_at: datetime
