"""Events of facilities: divisions and places with their full state."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.envelope import Event
from contracts.topics import FACILITIES
from contracts.values import DivisionCode, DivisionLevel


class DivisionRecorded(Event):
    """行政区划: one node of the 12-digit tree. A closed one has `valid_until`."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.division-recorded.v1"
    topic: ClassVar[str] = FACILITIES
    key_field: ClassVar[str] = "code"

    code: DivisionCode
    name: str
    level: DivisionLevel
    parent_code: DivisionCode | None
    community_kind: Literal["village", "urban_community"] | None
    valid_from: date | None
    valid_until: date | None
    recorded_at: datetime


class FacilityRecorded(Event):
    """社区综合服务设施: one place with its full state."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.facility-recorded.v1"
    topic: ClassVar[str] = FACILITIES
    key_field: ClassVar[str] = "facility_id"

    facility_id: UUID
    version: int
    name: str
    facility_type: str
    state: Literal["planned", "building", "open", "repair", "closed"]
    division_code: DivisionCode
    address: str
    phone: str | None
    #: Degrees WGS 84, and the system they were first taken in.
    latitude: float | None
    longitude: float | None
    original_crs: str | None = None
    total_area_m2: float | None = None
    activity_area_m2: float | None = None
    office_area_m2: float | None = None
    #: Ramp, lift and the like; null where nobody knows.
    accessibility: dict[str, bool | None] = {}  # noqa: RUF012 - copied for each event
    #: Weekday → intervals of local time, "08:30" to at most "24:00"; None: not recorded.
    weekly_hours: dict[str, list[dict[str, str]]] | None = None
    recorded_at: datetime
