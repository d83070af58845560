"""GeoJSON as RFC 7946 has it: WGS 84, longitude before latitude."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

MEDIA_TYPE = "application/geo+json"
MAX_FEATURES = 1000


class Point(BaseModel):
    """A position; the one place of the product where longitude comes first."""

    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float] = Field(description="[经度, 纬度]，WGS 84")


class Properties(BaseModel):
    """What a map shows of a place."""

    name: str
    facility_type: str
    type_name: str
    state: str
    division_code: str
    division_path: str
    address: str
    phone: str | None


class Feature(BaseModel):
    """A place on the map."""

    type: Literal["Feature"] = "Feature"
    id: UUID
    geometry: Point
    properties: Properties


class FeatureCollection(BaseModel):
    """A page of places; `next` is a foreign member in the sense of RFC 7946 §6.1."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Feature]
    next: str | None


FeatureLimit = Annotated[int, Query(ge=1, le=MAX_FEATURES, description="每页条数")]
