"""A facility in its several shapes: form, row, answer, event, and entry of its history."""

from typing import Any

from contracts.facilities import FacilityRecorded
from services.facilities.facilities.rules import possible_actions
from services.facilities.facilities.schemas import FacilityFields, FacilityRead
from services.facilities.hours.rules import short_days
from services.facilities.hours.schemas import ShortDay, WeeklyHours
from services.facilities.models import FacilityState

_FIELDS = frozenset(FacilityFields.model_fields)


def columns_of(record: FacilityFields) -> dict[str, Any]:
    """The columns that a form fills."""
    return record.model_dump(include=set(_FIELDS))


def fields_of(row: Any) -> FacilityFields:
    """What people recorded, out of a row."""
    return FacilityFields.model_validate({name: row._mapping[name] for name in _FIELDS})


def read_of(row: Any, division_path: str) -> FacilityRead:
    """The answer that shows a row; the row carries its type's name and rule of hours."""
    return FacilityRead.model_validate(
        {
            **row._mapping,
            "division_path": division_path,
            "short_days": _short_days(row),
            "possible_actions": possible_actions(FacilityState(row.state)),
        }
    )


def event_of(row: Any) -> FacilityRecorded:
    """The full state of a facility for other services."""
    return FacilityRecorded.model_validate({**row._mapping, "facility_id": row.id})


def snapshot_of(row: Any) -> dict[str, Any]:
    """The whole record as the history keeps it."""
    return fields_of(row).model_dump(mode="json") | {"state": row.state}


def _short_days(row: Any) -> list[ShortDay]:
    if not row.has_daily_hours or row.weekly_hours is None:
        return []
    week = WeeklyHours.model_validate(row.weekly_hours).week
    return [
        ShortDay(weekday=weekday, minutes=minutes) for weekday, minutes in short_days(week).items()
    ]
