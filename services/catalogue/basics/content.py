"""What an entry of the basic catalogue says."""

from typing import Annotated

from pydantic import Field

from contracts.values import DepartmentCode
from services.catalogue.items.content import Level, TaskType
from services.catalogue.items.texts import Line, Name, Paragraph, Part, optional


class BasicContent(Part):
    """六统一: name, code, type, department in charge, levels and basis."""

    name: Name
    task_type: TaskType
    levels: Annotated[tuple[Level, ...], Field(max_length=5)] = ()
    department: DepartmentCode | None = optional()
    basis: Paragraph | None = optional()
    #: Where the entry is from: the list and its edition.
    source: Line
    local_code: Line | None = optional()
