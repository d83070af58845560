"""What every feature must know of one evaluable service and its case."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

#: The columns of `EvaluableFacts`, from `evaluable e JOIN case_copy c USING (case_id)`.
FACTS_COLUMNS = (
    "e.id AS evaluable_id, e.case_id, c.case_number, e.applicant_id, c.item_id, c.item_name, "
    "e.unit_code, e.unit_name, c.division_code, coalesce(e.handler_name, c.handler_name) AS handler_name, "
    "e.handler_id, e.window_code, e.facility_id, e.service_channel, e.service_number, e.served_at, "
    "e.open_until"
)


@dataclass(frozen=True, slots=True)
class EvaluableFacts:
    """One service of one case, with the unit that did the work."""

    evaluable_id: UUID
    case_id: UUID
    case_number: str
    applicant_id: UUID
    item_id: UUID
    item_name: str
    unit_code: str | None
    unit_name: str | None
    division_code: str
    handler_name: str | None
    handler_id: UUID | None
    window_code: str | None
    facility_id: UUID | None
    service_channel: str | None
    service_number: int
    served_at: datetime | None
    open_until: date

    @classmethod
    def of(cls, row: Any) -> "EvaluableFacts":
        """Take the facts out of a row that selected `FACTS_COLUMNS`."""
        return cls(**{name: getattr(row, name) for name in cls.__slots__})

    @property
    def responsible_division(self) -> str:
        """The unit's own division; the case's while no unit is known."""
        return responsible_division(self.unit_code, self.division_code)

    def rating_fields(self) -> dict[str, Any]:
        """What every rating keeps of this, so that scores can be recounted from ratings alone."""
        return {
            "evaluable_id": self.evaluable_id,
            "item_id": self.item_id,
            "unit_code": self.unit_code,
            "responsible_division": self.responsible_division,
            "division_code": self.division_code,
            "service_number": self.service_number,
            "service_channel": self.service_channel,
            "window_code": self.window_code,
            "handler_id": self.handler_id,
            "facility_id": self.facility_id,
        }

    def event_fields(self, occurred_at: datetime) -> dict[str, Any]:
        """What all events about the rating of a case carry."""
        return {
            "case_id": self.case_id,
            "case_number": self.case_number,
            "applicant_id": self.applicant_id,
            "item_id": self.item_id,
            "item_name": self.item_name,
            "unit_code": self.unit_code,
            "division_code": self.division_code,
            "occurred_at": occurred_at,
        }


def responsible_division(unit_code: str | None, division_code: str) -> str:
    """The division whose supervisors watch over this: a unit code begins with its division's."""
    return unit_code.partition(":")[0] if unit_code else division_code
