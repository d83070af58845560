"""What is near, as the API shows it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.facilities.facilities.schemas import FacilityEntry
from services.facilities.nearby.rules import Mode

#: The names of `Accessibility` that may be asked for.
AccessibilityNeed = Literal[
    "ramp",
    "accessible_toilet",
    "tactile_paving",
    "lift",
    "low_counter",
    "elder_friendly",
    "child_friendly",
]


class NearbyEntry(FacilityEntry):
    """A place with how far it is and whether it is open."""

    distance_metres: int = Field(description="直线距离（米）")
    minutes: float | None = Field(description="按所给速度走直线要几分钟；按半径查时为 null")
    is_open: bool | None = Field(description="此刻是否开放；null：不清楚")
    next_change_at: datetime | None = Field(description="下一次开门或关门的时间")


class Nearby(BaseModel):
    """Places within reach: open ones first, then the nearest."""

    latitude: float
    longitude: float
    reach_metres: int
    mode: Mode | None
    speed_kmh: float | None
    assumption: str
    is_cut: bool = Field(description="范围内的场所太多，只从最近的一批里挑选")
    items: list[NearbyEntry]
