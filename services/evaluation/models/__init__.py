"""Tables owned by the evaluation service. No other service may read them."""

from services.evaluation.models.base import Base
from services.evaluation.models.calendar import CalendarDay, CalendarYear
from services.evaluation.models.demand import NeedCount, NeedKind, NeedList, Wish
from services.evaluation.models.divisions import CommunityFigures, Division
from services.evaluation.models.evaluables import (
    SERVICE_NAMES,
    CaseCopy,
    Evaluable,
    ServiceNumber,
)
from services.evaluation.models.ratings import (
    Origin,
    Rating,
    RatingChannel,
    RatingState,
    RatingTag,
)
from services.evaluation.models.rectifications import (
    Branch,
    Rectification,
    RectificationState,
    RectificationStep,
)
from services.evaluation.models.scores import LevelCounts, Score, ScoreDay, SubjectKind
from services.evaluation.models.technical import (
    DataAccess,
    IdempotencyKey,
    OutboxMessage,
    ProcessedEvent,
)

__all__ = [
    "SERVICE_NAMES",
    "Base",
    "Branch",
    "CalendarDay",
    "CalendarYear",
    "CaseCopy",
    "CommunityFigures",
    "DataAccess",
    "Division",
    "Evaluable",
    "IdempotencyKey",
    "LevelCounts",
    "NeedCount",
    "NeedKind",
    "NeedList",
    "Origin",
    "OutboxMessage",
    "ProcessedEvent",
    "Rating",
    "RatingChannel",
    "RatingState",
    "RatingTag",
    "Rectification",
    "RectificationState",
    "RectificationStep",
    "Score",
    "ScoreDay",
    "ServiceNumber",
    "SubjectKind",
    "Wish",
]
