"""Events of facilities: divisions, communities, places and indicators with their full state."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.envelope import Event
from contracts.topics import FACILITIES, INDICATORS
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


class CommunityFiguresRecorded(Event):
    """社区年度数据: the figures of one village or community in one year; what is missing is null."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.community-figures-recorded.v1"
    topic: ClassVar[str] = FACILITIES
    key_field: ClassVar[str] = "figures_key"

    #: `figures:<division code>:<year>`.
    figures_key: str
    code: DivisionCode
    year: int = Field(ge=1949, le=2200)
    households: int | None
    #: 常住人口 of the community, persons.
    residents: int | None
    #: Grows with every record of the year: a reader keeps the highest.
    revision: int = Field(ge=1)
    recorded_at: datetime


class IndicatorComputed(Event):
    """指标值: one indicator of one division in one month, with what it was computed from."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.indicator-computed.v1"
    topic: ClassVar[str] = INDICATORS
    key_field: ClassVar[str] = "indicator_key"

    #: `<division code>:<indicator code>:<yyyy-mm>`.
    indicator_key: str
    division_code: DivisionCode
    indicator_code: str
    #: First day of the month.
    month: date
    numerator: float
    denominator: float
    #: None when the denominator is 0 or nothing is known.
    value: float | None
    #: `ratio`, `m2-per-100-households` and the like, as the definition says.
    unit: str
    #: Communities without a figure that the indicator needs.
    missing: int = Field(ge=0)
    #: Grows with every computation: a reader keeps the highest.
    revision: int = Field(ge=1)
    recorded_at: datetime
