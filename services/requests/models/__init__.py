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
    "NumberSeries",
    "OutboxMessage",
    "ProcessedEvent",
    "RoutingRuleSet",
    "ServiceCase",
    "Timer",
    "Unit",
]
