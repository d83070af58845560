"""GeoJSON: read by anyone."""

from typing import Annotated

from fastapi import Depends, Request, Response

from servicekit.app import create_router
from servicekit.database import ReadSession
from servicekit.paging import After
from services.facilities.facilities.endpoints import last_place, wanted_places
from services.facilities.facilities.repository import FacilityFilter
from services.facilities.geojson import service
from services.facilities.geojson.schemas import (
    MEDIA_TYPE,
    FeatureCollection,
    FeatureLimit,
)
from services.facilities.tags import tagged

router = create_router("facilities")


@router.get(
    "/facilities/geojson",
    response_model=FeatureCollection,
    responses={200: {"content": {MEDIA_TYPE: {}}}},
)
async def export_geojson(
    request: Request,
    session: ReadSession,
    wanted: Annotated[FacilityFilter, Depends(wanted_places)],
    after: After = None,
    limit: FeatureLimit = 200,
) -> Response:
    """有坐标的设施，GeoJSON（RFC 7946）格式，可直接放上地图；条件与设施列表相同。"""
    page = await service.export(session, wanted.located(), after=last_place(after), limit=limit)
    return tagged(request, page, media_type=MEDIA_TYPE)
