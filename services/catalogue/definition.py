"""What the commands and tests know of the catalogue service."""

from contracts.evaluation import ScoreChanged
from contracts.topics import CATALOGUE, CATALOGUE_FACTS, SCORES
from servicekit.process import Service
from servicekit.rebuild import Projection
from services.catalogue.app import create_app
from services.catalogue.scores.consumers import keep_score
from services.catalogue.seeds import seed
from services.catalogue.settings import CatalogueSettings
from services.catalogue.worker import create_worker

SERVICE = Service(
    name="catalogue",
    title="事项目录",
    settings=CatalogueSettings,
    create_app=create_app,
    migrations="services.catalogue.migrations",
    create_worker=create_worker,
    publishes=[CATALOGUE, CATALOGUE_FACTS],
    seed=seed,
    projections={
        "item-scores": Projection(
            topic=SCORES, tables=["item_score"], handlers={ScoreChanged: [keep_score]}
        )
    },
)
