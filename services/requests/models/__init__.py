"""Tables owned by the requests service. No other service may read them."""

from services.requests.models.base import Base
from services.requests.models.cases import (
    CaseHistory,
    CaseState,
    CitizenRequest,
    CorrectionNotice,
    NumberSeries,
    ServiceCase,
)
from services.requests.models.materials import (
    CaseMaterial,
    MaterialUpload,
    ScanState,
    UploadState,
)
from services.requests.models.parties import PartyRole, RequestDraft, RequestParty
from services.requests.models.reference import (
    CalendarDay,
    CalendarYear,
    CatalogueItem,
    CopyRevision,
    Division,
    LocalCalendarDay,
    LocalCalendarYear,
    RoutingRuleSet,
    Unit,
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
    "Base",
    "CalendarDay",
    "CalendarYear",
    "CaseHistory",
    "CaseMaterial",
    "CaseState",
    "CatalogueItem",
    "CitizenRequest",
    "CopyRevision",
    "CorrectionNotice",
    "DataAccess",
    "Division",
    "IdempotencyKey",
    "ItemAdmission",
    "LocalCalendarDay",
    "LocalCalendarYear",
    "MaterialUpload",
    "NumberSeries",
    "OutboxMessage",
    "PartyRole",
    "ProcessedEvent",
    "RequestDraft",
    "RequestParty",
    "RoutingRuleSet",
    "ScanState",
    "ServiceCase",
    "Timer",
    "Unit",
    "UploadState",
]
