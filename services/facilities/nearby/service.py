"""What is within reach of somebody, open places first."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.divisions import service as divisions
from services.facilities.hours import service as hours
from services.facilities.nearby import repository
from services.facilities.nearby.repository import NearbyFilter
from services.facilities.nearby.rules import Mode, Reach, rank
from services.facilities.nearby.schemas import Nearby, NearbyEntry
from services.facilities.positions.rules import Point

#: Of how many, the nearest of all, those that are open are put first.
MOST_CANDIDATES = 300
ASSUMPTION = "距离和时间按直线计算，没有计入道路绕行、过街和高差，实际会更远"


async def find(
    session: AsyncSession,
    point: Point,
    reach: Reach,
    wanted: NearbyFilter,
    *,
    mode: Mode | None,
    at: datetime | None,
    limit: int,
) -> Nearby:
    """Places in operation within reach of a point; three statements whatever their number."""
    rows = await repository.list_around(
        session, point, reach.metres, wanted, limit=MOST_CANDIDATES + 1
    )
    candidates = rows[:MOST_CANDIDATES]
    openings = await hours.openings(session, candidates, hours.local_moment(at))
    ranked = sorted(
        candidates, key=lambda row: rank(openings[row.id].is_open, row.distance_metres)
    )[:limit]
    paths = await divisions.path_names(session, sorted({row.division_code for row in ranked}))
    items = []
    for row in ranked:
        minutes = reach.minutes(row.distance_metres)
        values = {
            **row._mapping,
            "division_path": paths[row.division_code],
            "distance_metres": round(row.distance_metres),
            "minutes": None if minutes is None else round(minutes, 1),
            "is_open": openings[row.id].is_open,
            "next_change_at": openings[row.id].next_change_at,
        }
        items.append(NearbyEntry.model_validate(values))
    return Nearby(
        latitude=point.latitude,
        longitude=point.longitude,
        reach_metres=round(reach.metres),
        mode=mode,
        speed_kmh=reach.speed_kmh,
        assumption=ASSUMPTION,
        is_cut=len(rows) > MOST_CANDIDATES,
        items=items,
    )
