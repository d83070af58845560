"""Facilities that have a position, for a map."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.facilities import service as facilities
from services.facilities.facilities.repository import FacilityFilter
from services.facilities.geojson.schemas import Feature, FeatureCollection, Point, Properties


async def export(
    session: AsyncSession, wanted: FacilityFilter, *, after: tuple[str, UUID] | None, limit: int
) -> FeatureCollection:
    """A page of places with a position, by division."""
    page = await facilities.list_facilities(session, wanted, after=after, limit=limit)
    features = [
        Feature(
            id=entry.id,
            geometry=Point(coordinates=(entry.longitude, entry.latitude)),
            properties=Properties.model_validate(entry.model_dump()),
        )
        for entry in page.items
        if entry.latitude is not None and entry.longitude is not None
    ]
    return FeatureCollection(features=features, next=page.next)
