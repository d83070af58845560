"""How far one gets in some minutes, and in which order places are named; pure.

Distances are straight lines over the sphere: streets, rivers and railways are not known here.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import cos, radians

from services.facilities.positions.rules import METRES_PER_DEGREE, Box, Point


class Mode(StrEnum):
    """How one gets there."""

    walking = "walking"
    cycling = "cycling"


#: Kilometres an hour. Walking: 1000 m in 15 minutes. Source: GB 50180-2018, 十五分钟生活圈居住区
#: (步行距离 800–1000 m). Cycling: ours.
DEFAULT_SPEEDS_KMH = {Mode.walking: 4.0, Mode.cycling: 12.0}
MINUTES_PER_HOUR = 60
METRES_PER_KILOMETRE = 1000
#: A box is found by an index: a bit more than the circle, never less.
_MARGIN = 1.001


@dataclass(frozen=True, slots=True)
class Reach:
    """A circle around somebody; with a speed, distances are minutes too."""

    metres: float
    speed_kmh: float | None = None

    def minutes(self, metres: float) -> float | None:
        """How long a distance takes; None without a speed."""
        if self.speed_kmh is None:
            return None
        return metres / METRES_PER_KILOMETRE / self.speed_kmh * MINUTES_PER_HOUR


def reach_in(minutes: float, speed_kmh: float) -> Reach:
    """How far one gets in some minutes."""
    return Reach(speed_kmh / MINUTES_PER_HOUR * minutes * METRES_PER_KILOMETRE, speed_kmh)


def box_around(point: Point, metres: float) -> Box:
    """A box in degrees that holds the whole circle."""
    high = metres / METRES_PER_DEGREE * _MARGIN
    # Meridians draw together towards the pole: the far edge of the box decides.
    wide = high / cos(radians(min(abs(point.latitude) + high, 89.0)))
    return Box(
        south=point.latitude - high,
        west=point.longitude - wide,
        north=point.latitude + high,
        east=point.longitude + wide,
    )


def rank(is_open: bool | None, metres: float) -> tuple[int, float]:
    """Open first, then those whose hours nobody knows, then closed; the nearest first."""
    return ({True: 0, None: 1, False: 2}[is_open], metres)
