"""The API process of the facilities service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from servicekit.app import create_service_app
from servicekit.auth import TokenVerifier
from servicekit.errors import ConstraintErrors
from servicekit.imports import import_upload
from services.facilities.bookings import endpoints as bookings
from services.facilities.bookings.resources import ResourceInUse
from services.facilities.bookings.taking import AlreadyBooked
from services.facilities.changes import endpoints as changes
from services.facilities.changes.service import DivisionCodeTaken
from services.facilities.communities import endpoints as communities
from services.facilities.counters import endpoints as counters
from services.facilities.devices import endpoints as devices
from services.facilities.devices.service import DeviceSerialTaken
from services.facilities.divisions import endpoints as divisions
from services.facilities.facilities import endpoints as facilities
from services.facilities.facilities.service import FacilityNameTaken
from services.facilities.gaps import endpoints as gaps
from services.facilities.geojson import endpoints as geojson
from services.facilities.hours import endpoints as hours
from services.facilities.hours.board import OpenBoard
from services.facilities.hsds import endpoints as hsds
from services.facilities.indicators import endpoints as indicators
from services.facilities.nearby import endpoints as nearby
from services.facilities.photos import endpoints as photos
from services.facilities.photos.store import open_store
from services.facilities.positions import endpoints as positions
from services.facilities.rooms import endpoints as rooms
from services.facilities.settings import FacilitiesSettings
from services.facilities.types import endpoints as types

CONSTRAINTS: ConstraintErrors = {
    "uq_facility_division_code_name": FacilityNameTaken,
    "pk_division": DivisionCodeTaken,
    "uq_device_serial_number": DeviceSerialTaken,
    "uq_booking_applicant_id_starts_at": AlreadyBooked,
    "fk_booking_resource_counter_id_counter": ResourceInUse,
    "fk_booking_resource_room_id_room": ResourceInUse,
}


@asynccontextmanager
async def _what_a_process_keeps(app: FastAPI) -> AsyncIterator[None]:
    app.state.open_board = OpenBoard()
    app.state.photos = open_store(app.state.settings.files_url)
    yield


def create_app(settings: FacilitiesSettings, *, verifier: TokenVerifier | None = None) -> FastAPI:
    """Put the API together."""
    return create_service_app(
        "facilities",
        settings,
        title="设施",
        routers=[
            divisions.router,
            changes.router,
            positions.router,
            communities.router,
            communities.imports,
            hours.board_router,
            geojson.router,
            types.router,  # before facilities: "types" is no identifier
            nearby.router,  # as is "nearby"
            facilities.router,
            hours.router,
            indicators.router,
            gaps.router,
            rooms.router,
            counters.router,
            devices.router,
            photos.router,
            hsds.router,
            bookings.router,
        ],
        uploads=[import_upload(communities.IMPORTS), photos.UPLOAD],
        parts=[_what_a_process_keeps],
        constraints=CONSTRAINTS,
        verifier=verifier,
        migrations="services.facilities.migrations",
    )
