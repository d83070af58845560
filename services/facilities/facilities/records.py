"""A facility in its several shapes: form, row, answer, event, and entry of its history."""

from datetime import date
from typing import Any

from contracts.facilities import FacilityRecorded
from services.facilities.facilities.parts import Emergency, Signage
from services.facilities.facilities.rules import Finding, possible_actions, signage_findings
from services.facilities.facilities.schemas import FacilityFields, FacilityRead
from services.facilities.hours.rules import Week, short_days
from services.facilities.hours.schemas import Season, ShortDay, WeeklyHours
from services.facilities.models import FacilityState
from services.facilities.positions.schemas import Position

_FIELDS = frozenset(FacilityFields.model_fields) - {"position"}
_JSON_FIELDS = {"seasons", "contacts", "signage", "sharing", "emergency"}


def columns_of(record: FacilityFields) -> dict[str, Any]:
    """The columns that a form fills; a position comes out in WGS 84, with what was given."""
    plain = record.model_dump(include=set(_FIELDS) - _JSON_FIELDS)
    point = record.position.wgs84 if record.position else None
    return (
        plain
        | record.model_dump(include=_JSON_FIELDS, mode="json")
        | {
            "latitude": point.latitude if point else None,
            "longitude": point.longitude if point else None,
            "original_latitude": record.position.latitude if record.position else None,
            "original_longitude": record.position.longitude if record.position else None,
            "original_crs": record.position.crs if record.position else None,
        }
    )


def fields_of(row: Any) -> FacilityFields:
    """What people recorded, out of a row."""
    return FacilityFields.model_validate(
        {name: row._mapping[name] for name in _FIELDS} | {"position": _position(row)}
    )


def read_of(row: Any, division_path: str, today: date) -> FacilityRead:
    """The answer that shows a row; the row carries its type's name and rule of hours."""
    return FacilityRead.model_validate(
        {
            **row._mapping,
            "position": _position(row),
            "division_path": division_path,
            "short_days": _short_days(row),
            "findings": _findings(row, today),
            "possible_actions": possible_actions(FacilityState(row.state)),
        }
    )


def event_of(row: Any) -> FacilityRecorded:
    """The full state of a facility for other services."""
    return FacilityRecorded.model_validate({**row._mapping, "facility_id": row.id})


def snapshot_of(row: Any) -> dict[str, Any]:
    """The whole record as the history keeps it."""
    return fields_of(row).model_dump(mode="json") | {"state": row.state}


def _position(row: Any) -> Position | None:
    """What was given; of records from before that was kept, WGS 84."""
    if row.latitude is None:
        return None
    if row.original_latitude is None:
        return Position(latitude=row.latitude, longitude=row.longitude, crs="WGS-84")
    return Position(
        latitude=row.original_latitude, longitude=row.original_longitude, crs=row.original_crs
    )


def _short_days(row: Any) -> list[ShortDay]:
    if not row.has_daily_hours or row.weekly_hours is None:
        return []
    weeks: list[tuple[str | None, Week]] = [
        (None, WeeklyHours.model_validate(row.weekly_hours).week)
    ]
    for entry in row.seasons or ():
        season = Season.model_validate(entry)
        weeks.append((season.name, season.hours.week))
    return [
        ShortDay(weekday=weekday, minutes=minutes, season=season)
        for season, week in weeks
        for weekday, minutes in short_days(week).items()
    ]


def _findings(row: Any, today: date) -> list[Finding]:
    found: list[Finding] = []
    if row.signage and row.is_comprehensive and row.community_kind == "village":
        found += signage_findings(Signage.model_validate(row.signage))
    if row.emergency:
        found += [
            Finding("stock-expired", f"{entry.name}已于 {entry.expires_on} 过期")
            for entry in Emergency.model_validate(row.emergency).stock
            if entry.expires_on is not None and entry.expires_on < today
        ]
    for name, until, words in (
        ("tenure-ended", row.tenure_until, "场地租借"),
        ("sharing-ended", _until(row.sharing), "共享约定"),
    ):
        if until is not None and until < today:
            found.append(Finding(name, f"{words}已于 {until} 到期"))
    return found


def _until(sharing: dict[str, Any] | None) -> date | None:
    until = (sharing or {}).get("until")
    return date.fromisoformat(until) if until else None
