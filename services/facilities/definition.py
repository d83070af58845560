"""What the commands and tests know of the facilities service."""

from contracts.topics import FACILITIES, FACILITIES_FACTS, INDICATORS
from servicekit.process import Service, late
from services.facilities.settings import FacilitiesSettings

SERVICE = Service(
    name="facilities",
    title="设施: divisions, communities, facilities and their hours.",
    settings=FacilitiesSettings,
    create_app=late("services.facilities.app", "create_app"),
    migrations="services.facilities.migrations",
    create_worker=late("services.facilities.worker", "create_worker"),
    publishes=[FACILITIES, FACILITIES_FACTS, INDICATORS],
    seed=late("services.facilities.seed", "seed"),
    projections=late("services.facilities.projections", "create_projections"),
)
