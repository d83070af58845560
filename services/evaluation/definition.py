"""What the commands and tests know of the evaluation service."""

from contracts.topics import EVALUATION, SCORES, SURVEYS
from servicekit.process import Service
from services.evaluation.app import create_app
from services.evaluation.assessments import consumers as indicators
from services.evaluation.calendar import consumers as calendar
from services.evaluation.divisions import consumers as divisions
from services.evaluation.free_text import ENCRYPTED
from services.evaluation.items import consumers as items
from services.evaluation.seed import seed
from services.evaluation.settings import EvaluationSettings
from services.evaluation.worker import create_worker

SERVICE = Service(
    name="evaluation",
    title="评价与整改",
    settings=EvaluationSettings,
    create_app=create_app,
    migrations="services.evaluation.migrations",
    create_worker=create_worker,
    publishes=[EVALUATION, SCORES, SURVEYS],
    seed=seed,
    projections={
        "working-days": calendar.PROJECTION,
        "divisions": divisions.PROJECTION,
        "indicators": indicators.PROJECTION,
        "catalogue-items": items.PROJECTION,
    },
    encrypted=list(ENCRYPTED),
)
