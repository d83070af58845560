"""Events of facilities: divisions, communities, places and indicators with their full state."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.envelope import Event
from contracts.topics import FACILITIES, FACILITIES_FACTS, INDICATORS
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


class BookingEvent(Event):
    """Base of facts about one booking. Whose it is, is told by an account's id alone."""

    topic: ClassVar[str] = FACILITIES_FACTS
    key_field: ClassVar[str] = "booking_id"

    booking_id: UUID
    #: What is shown at the counter.
    booking_code: str
    applicant_id: UUID
    resource_id: UUID
    #: The counter or the room.
    resource_name: str
    facility_id: UUID
    facility_name: str
    address: str
    division_code: DivisionCode
    starts_at: datetime
    ends_at: datetime
    #: The same in local time: the day, "08:30" and at most "24:00".
    day: date
    from_time: str
    until_time: str
    occurred_at: datetime


class BookingConfirmed(BookingEvent):
    """预约成功: the place is taken."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.booking-confirmed.v1"


class BookingCancelled(BookingEvent):
    """预约取消: by the resident, or by the place with a reason."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.booking-cancelled.v1"

    by: Literal["resident", "place"]
    reason: str | None


class BookingDisplaced(BookingEvent):
    """预约因时间调整取消: the hours of the place changed and the booking lies outside them."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.booking-displaced.v1"

    #: Words for the resident.
    reason: str
    #: Whether a place was lost, or only one's turn in a waiting list.
    had_place: bool
    #: Until when another time may be chosen before others; None: no place was lost.
    rebook_until: datetime | None
    #: The same in local time.
    rebook_until_day: date | None


class BookingRestored(BookingEvent):
    """预约恢复: the place serves a booking that its hours had displaced after all."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.booking-restored.v1"

    #: What the place wants the resident to know: where to knock.
    advice: str | None


class BookingExpired(BookingEvent):
    """预约失效: not confirmed in time, or still waiting when the time came."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.booking-expired.v1"

    was_waiting: bool


class BookingMovedUp(BookingEvent):
    """候补到位: a place became free and is kept until it must be confirmed."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.booking-moved-up.v1"

    confirm_by: datetime
    #: The same in local time.
    confirm_by_day: date
    confirm_by_time: str


class BookingReminderDue(BookingEvent):
    """预约提醒: the time comes near."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.booking-reminder-due.v1"


class BookingAttended(BookingEvent):
    """到场: the resident came."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.booking-attended.v1"


class BookingMissed(BookingEvent):
    """爽约: the resident did not come."""

    event_type: ClassVar[str] = "cn.yichuang.facilities.booking-missed.v1"

    #: Until when the place takes no booking of theirs; None: it still does.
    blocked_until: date | None
