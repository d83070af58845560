"""What a proposal says: the matter, its basis, and who pays for it."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contracts.values import DepartmentCode
from services.catalogue.items.texts import Line, Name, Paragraph, Part

#: Ten thousand million yuan; a slip of the pen is more.
MOST_CENTS = 1_000_000_000_000


class Nature(StrEnum):
    """工作性质, as the department declares it."""

    public_service = "public-service"
    village_affairs = "village-affairs"
    law_enforcement = "law-enforcement"
    demolition = "demolition"
    investment_promotion = "investment-promotion"
    work_safety = "work-safety"
    other = "other"


class Basis(Part):
    """制度依据."""

    document: Line
    clause: Line | None = None
    #: The last day it is in force; None when it has no end.
    until: date | None = None


class Funds(Part):
    """经费、工作条件和培训."""

    cents_per_year: Annotated[int, Field(ge=0, le=MOST_CENTS)]
    source: Line
    #: The last day for which the money is there.
    until: date
    conditions: Paragraph
    training: Line | None = None


class AdmissionContent(Part):
    """What the department proposes."""

    name: Name
    department: DepartmentCode
    nature: Nature
    basis: Basis
    #: 村级职责边界: what the village does, and what it does not.
    duties: Paragraph
    procedure: Paragraph | None = None
    #: How often a form or an assessment is asked for in a year.
    times_per_year: Annotated[int, Field(ge=1, le=366)] | None = None
