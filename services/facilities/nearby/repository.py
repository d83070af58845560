"""Places in a circle: the box around it by the index of points, then the exact distance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, column, exists, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base, FacilityState
from services.facilities.nearby.rules import box_around
from services.facilities.positions.rules import EARTH_RADIUS_METRES, Point

_FACILITY = Base.metadata.tables["facility"]
_TYPE = Base.metadata.tables["facility_type"]
_COUNTER = Base.metadata.tables["counter"]
_COUNTER_ITEM = Base.metadata.tables["counter_item"]


@dataclass(frozen=True, slots=True)
class NearbyFilter:
    """What a search around a point is narrowed to."""

    facility_type: str | None = None
    item_id: UUID | None = None
    #: Names of `Accessibility` that must be there.
    accessibility: tuple[str, ...] = ()


async def list_around(
    session: AsyncSession, point: Point, metres: float, wanted: NearbyFilter, *, limit: int
) -> Sequence[Any]:
    """Facilities in operation within a circle, the nearest first, with `distance_metres`."""
    rows: Sequence[Any] = (await session.execute(around(point, metres, wanted).limit(limit))).all()
    return rows


def around(point: Point, metres: float, wanted: NearbyFilter) -> Select[Any]:
    """The statement of `list_around`."""
    box = box_around(point, metres)
    distance = _distance(point)
    within = func.box(func.point(box.west, box.south), func.point(box.east, box.north))
    conditions: list[ColumnElement[bool]] = [
        # As the index has it: ix_facility_place.
        literal_column("point(longitude, latitude)").op("<@")(within),
        _FACILITY.c.latitude.is_not(None),
        _FACILITY.c.state == FacilityState.open,
        distance <= metres,
    ]
    if wanted.facility_type is not None:
        conditions.append(_FACILITY.c.facility_type == wanted.facility_type)
    if wanted.accessibility:
        needed = dict.fromkeys(wanted.accessibility, True)
        conditions.append(_FACILITY.c.accessibility.contains(needed))
    if wanted.item_id is not None:
        conditions.append(
            exists(
                select(_COUNTER_ITEM.c.counter_id)
                .join(_COUNTER, _COUNTER.c.id == _COUNTER_ITEM.c.counter_id)
                .where(
                    _COUNTER_ITEM.c.item_id == wanted.item_id,
                    _COUNTER_ITEM.c.facility_id == _FACILITY.c.id,
                    _COUNTER.c.is_open,
                )
            )
        )
    return (
        select(_FACILITY, _TYPE.c.name.label("type_name"), distance.label("distance_metres"))
        .select_from(_FACILITY.join(_TYPE, _TYPE.c.code == _FACILITY.c.facility_type))
        .where(*conditions)
        .order_by(column("distance_metres"), _FACILITY.c.id)
    )


def _distance(point: Point) -> ColumnElement[float]:
    """Great-circle distance in metres. Source: haversine formula."""
    latitude, longitude = _FACILITY.c.latitude, _FACILITY.c.longitude
    chord = func.power(func.sin(func.radians(latitude - point.latitude) / 2), 2) + func.cos(
        func.radians(point.latitude)
    ) * func.cos(func.radians(latitude)) * func.power(
        func.sin(func.radians(longitude - point.longitude) / 2), 2
    )
    return 2 * EARTH_RADIUS_METRES * func.asin(func.sqrt(func.least(1.0, chord)))
