"""What the commands and tests know of the catalogue service."""

from contracts.topics import CATALOGUE, CATALOGUE_FACTS
from servicekit.process import Service, late
from services.catalogue.settings import CatalogueSettings

SERVICE = Service(
    name="catalogue",
    title="事项目录",
    settings=CatalogueSettings,
    create_app=late("services.catalogue.app", "create_app"),
    migrations="services.catalogue.migrations",
    create_worker=late("services.catalogue.worker", "create_worker"),
    publishes=[CATALOGUE, CATALOGUE_FACTS],
    seed=late("services.catalogue.seeds", "seed"),
    projections=late("services.catalogue.projections", "create_projections"),
)
