"""Tables owned by the requests service. No other service may read them."""

from services.requests.models.archives import ArchiveDestruction, CaseArchive, RetentionRule
from services.requests.models.base import Base
from services.requests.models.cases import (
    CaseHistory,
    CaseState,
    CitizenRequest,
    CorrectionNotice,
    Light,
    NumberSeries,
    ServiceCase,
)
from services.requests.models.materials import (
    CaseMaterial,
    MaterialPart,
    MaterialUpload,
    ScanState,
    UploadState,
)
from services.requests.models.parties import (
    ClaimAttempt,
    PartyRole,
    RequestDraft,
    RequestParty,
)
from services.requests.models.proceedings import (
    CaseDocument,
    CaseFollowUp,
    CaseOpinion,
    CasePause,
    CasePayment,
    UnitMember,
)
from services.requests.models.reference import (
    CalendarDay,
    CalendarYear,
    CatalogueItem,
    ClockPolicySetting,
    CopyRevision,
    Division,
    LocalCalendarDay,
    LocalCalendarYear,
    RoutingActivation,
    RoutingRuleSet,
    Unit,
)
from services.requests.models.supervision import (
    DurationCount,
    SupervisionOrder,
    WorkCount,
    WorkDelta,
    WorkFilter,
)
from services.requests.models.technical import (
    DataAccess,
    IdempotencyKey,
    OutboxMessage,
    ProcessedEvent,
    Timer,
)
from services.requests.models.triage import ItemAdmission

__all__ = [
    "ArchiveDestruction",
    "Base",
    "CalendarDay",
    "CalendarYear",
    "CaseArchive",
    "CaseDocument",
    "CaseFollowUp",
    "CaseHistory",
    "CaseMaterial",
    "CaseOpinion",
    "CasePause",
    "CasePayment",
    "CaseState",
    "CatalogueItem",
    "CitizenRequest",
    "ClaimAttempt",
    "ClockPolicySetting",
    "CopyRevision",
    "CorrectionNotice",
    "DataAccess",
    "Division",
    "DurationCount",
    "IdempotencyKey",
    "ItemAdmission",
    "Light",
    "LocalCalendarDay",
    "LocalCalendarYear",
    "MaterialPart",
    "MaterialUpload",
    "NumberSeries",
    "OutboxMessage",
    "PartyRole",
    "ProcessedEvent",
    "RequestDraft",
    "RequestParty",
    "RetentionRule",
    "RoutingActivation",
    "RoutingRuleSet",
    "ScanState",
    "ServiceCase",
    "SupervisionOrder",
    "Timer",
    "Unit",
    "UnitMember",
    "UploadState",
    "WorkCount",
    "WorkDelta",
    "WorkFilter",
]
