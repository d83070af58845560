"""Coordinates as pure arithmetic; everything comes out in degrees WGS 84.

GCJ-02 and BD-09 are converted by a library. CGCS2000 and WGS 84 differ by centimetres, far below
what any of this is measured to, so that one is taken for the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

import coordTransform

#: Mean radius of the earth. Source: IUGG mean radius R1, 6 371 008.8 m.
EARTH_RADIUS_METRES = 6_371_008.8
METRES_PER_DEGREE = 111_195.0
#: Steps in which the library's inverse is made exact; after two the rest is below a millimetre.
_REFINEMENTS = 3
#: How far a place may lie outside the box that was recorded for its county. Ours: a box is drawn
#: with a margin, a place at the border belongs to one side.
RECORDED_TOLERANCE_METRES = 5_000
#: How far outside the box around the other places of its county, where nobody recorded one. Ours:
#: the next county seat but one is further away in most of the country.
OBSERVED_TOLERANCE_METRES = 50_000
#: Fewer places do not say where a county is.
LEAST_OBSERVED = 3


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees WGS 84."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Box:
    """South-west and north-east corner in degrees WGS 84; China lies on one side of 180°."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True, slots=True)
class Misplaced:
    """How far a position lies outside its county, and what that was measured against."""

    metres: int
    is_recorded: bool


def to_wgs84(latitude: float, longitude: float, crs: str) -> Point:
    """Convert a position of any of the systems that `models.CRS` lists, to a millionth of a degree."""
    match crs:
        case "GCJ-02":
            point = _inverse(coordTransform.wgs84_to_gcj02, latitude, longitude)
        case "BD-09":
            point = _inverse(coordTransform.wgs84_to_bd09, latitude, longitude)
        case _:
            point = Point(latitude, longitude)
    return Point(round(point.latitude, 6), round(point.longitude, 6))


def _inverse(
    forward: Callable[[float, float], Sequence[float]], latitude: float, longitude: float
) -> Point:
    """The point that the library's forward conversion takes to this one.

    Its own inverse takes the shift at the wrong point and errs by metres.
    """
    at = Point(latitude, longitude)
    for _ in range(_REFINEMENTS):
        shifted_longitude, shifted_latitude = forward(at.longitude, at.latitude)
        at = Point(
            at.latitude + latitude - shifted_latitude,
            at.longitude + longitude - shifted_longitude,
        )
    return at


def distance_metres(one: Point, other: Point) -> float:
    """Great-circle distance. Source: haversine formula."""
    first, second = radians(one.latitude), radians(other.latitude)
    half_longitude = radians(other.longitude - one.longitude) / 2
    chord = sin((second - first) / 2) ** 2 + cos(first) * cos(second) * sin(half_longitude) ** 2
    return 2 * EARTH_RADIUS_METRES * asin(sqrt(min(1.0, chord)))


def metres_outside(box: Box, point: Point) -> float:
    """How far a point lies outside a box; 0 inside."""
    nearest = Point(
        min(max(point.latitude, box.south), box.north),
        min(max(point.longitude, box.west), box.east),
    )
    return distance_metres(nearest, point)
