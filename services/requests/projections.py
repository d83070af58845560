"""The local copies of the requests service that can be rebuilt from a compacted topic."""

from collections.abc import Mapping

from contracts.topics import CATALOGUE, FACILITIES
from servicekit.rebuild import Projection
from services.requests.worker import (
    ADMISSION_HANDLERS,
    BUNDLE_HANDLERS,
    DIVISION_HANDLERS,
    ITEM_HANDLERS,
)


def create_projections() -> Mapping[str, Projection]:
    """The projections by name."""
    return {
        "catalogue-items": Projection(CATALOGUE, ["catalogue_item"], ITEM_HANDLERS),
        "catalogue-bundles": Projection(CATALOGUE, ["catalogue_bundle"], BUNDLE_HANDLERS),
        "admissions": Projection(CATALOGUE, ["item_admission"], ADMISSION_HANDLERS),
        "divisions": Projection(FACILITIES, ["division"], DIVISION_HANDLERS),
    }
