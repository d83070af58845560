"""What the commands and tests know of the evaluation service."""

from contracts.topics import EVALUATION, SCORES, SURVEYS
from servicekit.process import Service, late
from services.evaluation.free_text import ENCRYPTED
from services.evaluation.settings import EvaluationSettings

SERVICE = Service(
    name="evaluation",
    title="评价与整改",
    settings=EvaluationSettings,
    create_app=late("services.evaluation.app", "create_app"),
    migrations="services.evaluation.migrations",
    create_worker=late("services.evaluation.worker", "create_worker"),
    publishes=[EVALUATION, SCORES, SURVEYS],
    seed=late("services.evaluation.seed", "seed"),
    projections=late("services.evaluation.projections", "create_projections"),
    encrypted=list(ENCRYPTED),
)
