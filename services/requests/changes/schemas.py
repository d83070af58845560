"""Changes as the API shows them."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field


class Change(BaseModel):
    """一个办件发生了什么。"""

    case_id: UUID
    case_number: str
    request_id: UUID
    item_name: str
    version: int
    action: str
    from_state: str | None
    to_state: str
    unit_code: str | None
    unit_name: str | None
    due_on: date | None
    happened_at: datetime


class Changes(BaseModel):
    """一段变化；`next` 总是给出，记下它，下次从那里接着读。"""

    items: list[Change]
    next: str | None = Field(description="下次的 after；从未有过变化时为 null")
    has_more: bool
