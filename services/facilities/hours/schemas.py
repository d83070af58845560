"""Opening hours as the API takes and shows them."""

from datetime import date, datetime
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.facilities.hours import timetable
from services.facilities.hours.rules import (
    MINUTES_PER_DAY,
    WEEKDAYS,
    Day,
    Interval,
    IntervalFault,
    Week,
    faults,
)

D = TypeVar("D", bound=date)
ClockTime = Annotated[
    str,
    StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"),
    Field(examples=["08:30"]),
]
#: Far enough for any question, and away from the ends of the calendar.
FIRST_YEAR, LAST_YEAR = 2000, 2100
_FAULTS = {
    IntervalFault.ends_before_it_starts: "的结束时间应晚于开始时间；跨夜请分成到 24:00 和从 00:00 起两段",
    IntervalFault.overlaps: "与同一天的另一段时间重叠",
}


def _within_reach(day: D) -> D:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"年份应在 {FIRST_YEAR} 到 {LAST_YEAR} 之间")
    return day


#: A date, and a time, that somebody may sensibly ask about.
NearDay = Annotated[date, AfterValidator(_within_reach)]
NearMoment = Annotated[datetime, AfterValidator(_within_reach)]


class OpenInterval(BaseModel):
    """一段开放时间; the gap to the next one is a break."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    opens: ClockTime
    closes: ClockTime = Field(description="当天最晚 24:00")

    @property
    def minutes(self) -> Interval:
        return Interval(_minutes(self.opens), _minutes(self.closes))


def _in_order(entries: list[OpenInterval]) -> list[OpenInterval]:
    found = faults([entry.minutes for entry in entries])
    if found:
        told = (f"第 {faulty.index + 1} 段{_FAULTS[faulty.fault]}" for faulty in found)
        raise ValueError("；".join(told))
    return sorted(entries, key=lambda entry: entry.minutes)


#: A day's intervals in order; none means closed that day. Faults are told all at once.
DayHours = Annotated[list[OpenInterval], Field(max_length=6), AfterValidator(_in_order)]


class WeeklyHours(BaseModel):
    """每周开放时间; a weekday left out is a day off."""

    model_config = ConfigDict(extra="forbid")

    monday: DayHours = []
    tuesday: DayHours = []
    wednesday: DayHours = []
    thursday: DayHours = []
    friday: DayHours = []
    saturday: DayHours = []
    sunday: DayHours = []

    @property
    def week(self) -> Week:
        return tuple(day_of(getattr(self, weekday)) for weekday in WEEKDAYS)


class ExceptionWrite(BaseModel):
    """某一天的特殊安排; no intervals: closed all day."""

    model_config = ConfigDict(extra="forbid")

    intervals: DayHours
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=60)]


class ExceptionRead(ExceptionWrite):
    """A recorded exception."""

    day: date


MonthDay = Annotated[
    str,
    StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"),
    AfterValidator(lambda text: _month_day(text) and text),
    Field(examples=["05-01"]),
]


class Season(BaseModel):
    """一年中另有开放时间的一段，首尾两天都算；可以跨年，如 11-01 到 03-31。"""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=20)]
    first: MonthDay
    last: MonthDay
    hours: WeeklyHours

    @property
    def rule(self) -> timetable.Season:
        return timetable.Season(
            self.name, _month_day(self.first), _month_day(self.last), self.hours.week
        )


def _apart(seasons: list[Season]) -> list[Season]:
    shared = timetable.overlapping([season.rule for season in seasons])
    if shared:
        raise ValueError("；".join(f"“{one}”与“{other}”的日期重叠" for one, other in shared))
    return seasons


Seasons = Annotated[list[Season], Field(max_length=4), AfterValidator(_apart)]


class HolidayPolicy(BaseModel):
    """节假日与调休: which days of the working-day calendar change the hours."""

    model_config = ConfigDict(extra="forbid")

    holidays: Literal["as-usual", "closed"] = Field(
        default="as-usual", description="工作日历上的放假日：照常，或不开放"
    )
    make_up_days: Literal["as-usual", "as-weekday"] = Field(
        default="as-usual", description="调休上班的周末：照常，或按周一的时间开放"
    )

    @property
    def rule(self) -> timetable.Policy:
        return timetable.Policy(
            closed_on_holidays=self.holidays == "closed",
            works_make_up_days=self.make_up_days == "as-weekday",
        )


class OpeningRead(BaseModel):
    """此刻（或所问时刻）是否开放; times are local (Asia/Shanghai)."""

    facility_id: UUID
    at: datetime
    is_open: bool | None = Field(description="null：开放时间或当年的工作日历未登记")
    because: timetable.Because
    next_change_at: datetime | None = Field(description="下一次开门或关门的时间；null：无或未知")
    last_entry_at: datetime | None = Field(
        default=None, description="本时段停止取号（入场）的时间；null：此刻不开放，或没有这样的时间"
    )
    today: list[OpenInterval]
    note: str | None = Field(default=None, description="节假日、季节的名称或当天特殊安排的原因")


class OpenPlace(BaseModel):
    """A place that is open."""

    id: UUID
    name: str
    facility_type: str
    type_name: str
    division_code: str
    address: str
    phone: str | None
    latitude: float | None
    longitude: float | None
    closes_at: datetime | None = Field(description="null：一直开放")
    last_entry_at: datetime | None


class OpenNow(BaseModel):
    """此刻开放的设施; the list stays as it is until `until`."""

    within: str
    at: datetime
    until: datetime = Field(description="到此刻为止名单不变")
    items: list[OpenPlace]
    closed: int = Field(description="启用但此刻不开放的")
    unknown: int = Field(description="启用但开放时间或当年工作日历未登记的")


class ShortDay(BaseModel):
    """A weekday that is open for less than eight hours; 0 minutes is a day off."""

    weekday: str
    minutes: int
    season: str | None = Field(default=None, description="哪个季节；null：平时")


def day_of(entries: list[OpenInterval]) -> Day:
    """The intervals of a day in minutes."""
    return tuple(entry.minutes for entry in entries)


def shown(day: Day) -> list[OpenInterval]:
    """The intervals of a day as people write them."""
    return [OpenInterval(opens=_clock(opens), closes=_clock(closes)) for opens, closes in day]


def _month_day(text: str) -> tuple[int, int]:
    """Month and day; 29 February is a day.

    Raises:
        ValueError: no year has it.
    """
    month, day = (int(part) for part in text.split("-"))
    try:
        date(2024, month, day)  # a leap year
    except ValueError:
        raise ValueError("没有这一天") from None
    return month, day


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _clock(minutes: int) -> str:
    assert 0 <= minutes <= MINUTES_PER_DAY
    return f"{minutes // 60:02}:{minutes % 60:02}"
