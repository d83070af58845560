"""Tables owned by the evaluation service. No other service may read them."""

from services.evaluation.models.base import Base
from services.evaluation.models.calendar import (
    CalendarDay,
    CalendarYear,
    WorkingDay,
    WorkingYear,
)
from services.evaluation.models.demand import NeedCount, NeedKind, NeedList, Wish
from services.evaluation.models.disputes import (
    Dispute,
    DisputeGround,
    DisputeState,
    DivisionLimits,
)
from services.evaluation.models.divisions import CommunityFigures, Division
from services.evaluation.models.evaluables import (
    SERVICE_NAMES,
    CaseCopy,
    Evaluable,
    ServiceNumber,
)
from services.evaluation.models.integrity import (
    Detector,
    FlagState,
    IntegrityFlag,
    ScanPosition,
    StaffNumber,
    StaffNumberKind,
)
from services.evaluation.models.invitations import (
    Attachment,
    CodeAttempts,
    DeviceKind,
    Invitation,
    RatingBatch,
    RatingDevice,
)
from services.evaluation.models.ratings import (
    Origin,
    Rating,
    RatingChannel,
    RatingRevision,
    RatingState,
    RatingTag,
    RevisionAction,
)
from services.evaluation.models.rectifications import (
    Branch,
    Outcome,
    Rectification,
    RectificationState,
    RectificationStep,
)
from services.evaluation.models.scores import (
    Score,
    ScoreCounts,
    ScoreDay,
    ScoreFact,
    ScoreMonth,
    ScoreYear,
    SubjectKind,
)
from services.evaluation.models.technical import (
    DataAccess,
    IdempotencyKey,
    OutboxMessage,
    ProcessedEvent,
    Timer,
)

__all__ = [
    "SERVICE_NAMES",
    "Attachment",
    "Base",
    "Branch",
    "CalendarDay",
    "CalendarYear",
    "CaseCopy",
    "CodeAttempts",
    "CommunityFigures",
    "DataAccess",
    "Detector",
    "DeviceKind",
    "Dispute",
    "DisputeGround",
    "DisputeState",
    "Division",
    "DivisionLimits",
    "Evaluable",
    "FlagState",
    "IdempotencyKey",
    "IntegrityFlag",
    "Invitation",
    "NeedCount",
    "NeedKind",
    "NeedList",
    "Origin",
    "OutboxMessage",
    "Outcome",
    "ProcessedEvent",
    "Rating",
    "RatingBatch",
    "RatingChannel",
    "RatingDevice",
    "RatingRevision",
    "RatingState",
    "RatingTag",
    "Rectification",
    "RectificationState",
    "RectificationStep",
    "RevisionAction",
    "ScanPosition",
    "Score",
    "ScoreCounts",
    "ScoreDay",
    "ScoreFact",
    "ScoreMonth",
    "ScoreYear",
    "ServiceNumber",
    "StaffNumber",
    "StaffNumberKind",
    "SubjectKind",
    "Timer",
    "Wish",
    "WorkingDay",
    "WorkingYear",
]
