"""What the commands and tests know of the facilities service."""

from contracts.topics import (
    CALENDAR,
    CATALOGUE,
    FACILITIES,
    FACILITIES_FACTS,
    INDICATORS,
    SURVEYS,
)
from servicekit.process import Service
from servicekit.rebuild import Projection
from services.facilities.app import create_app
from services.facilities.seed import seed
from services.facilities.settings import FacilitiesSettings
from services.facilities.worker import (
    CALENDAR_HANDLERS,
    ITEM_HANDLERS,
    SURVEY_HANDLERS,
    create_worker,
)

SERVICE = Service(
    name="facilities",
    title="设施: divisions, communities, facilities and their hours.",
    settings=FacilitiesSettings,
    create_app=create_app,
    migrations="services.facilities.migrations",
    create_worker=create_worker,
    publishes=[FACILITIES, FACILITIES_FACTS, INDICATORS],
    seed=seed,
    projections={
        "catalogue-items": Projection(CATALOGUE, ["catalogue_item"], ITEM_HANDLERS),
        "calendars": Projection(CALENDAR, ["calendar_year"], CALENDAR_HANDLERS),
        "surveys": Projection(SURVEYS, ["community_survey"], SURVEY_HANDLERS),
    },
)
