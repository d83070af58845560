"""Tables owned by the facilities service. No other service may read them."""

from services.facilities.models.base import Base
from services.facilities.models.divisions import (
    Community,
    CommunityFigures,
    CommunityFiguresHistory,
    Division,
)
from services.facilities.models.facilities import (
    Facility,
    FacilityHistory,
    FacilityState,
    FacilityType,
    HoursException,
)
from services.facilities.models.technical import IdempotencyKey, OutboxMessage, ProcessedEvent

__all__ = [
    "Base",
    "Community",
    "CommunityFigures",
    "CommunityFiguresHistory",
    "Division",
    "Facility",
    "FacilityHistory",
    "FacilityState",
    "FacilityType",
    "HoursException",
    "IdempotencyKey",
    "OutboxMessage",
    "ProcessedEvent",
]
