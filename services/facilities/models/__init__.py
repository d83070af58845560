"""Tables owned by the facilities service. No other service may read them."""

from services.facilities.models.base import Base
from services.facilities.models.bookings import (
    Booking,
    BookingHistory,
    BookingResource,
    BookingSlot,
    BookingState,
)
from services.facilities.models.changes import DivisionChange, DivisionChangePart, DivisionExtent
from services.facilities.models.copies import CalendarYear, CatalogueItem, CommunitySurvey
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
from services.facilities.models.imports import ImportChunk, ImportJob, ImportProblem
from services.facilities.models.indicators import (
    INDICATOR_PAST,
    INDICATOR_SUM,
    MEASURES,
    Indicator,
    IndicatorMonth,
    UnmetNeed,
)
from services.facilities.models.inside import (
    Counter,
    CounterItem,
    Device,
    DeviceStateChange,
    Photo,
    Room,
)
from services.facilities.models.technical import (
    IdempotencyKey,
    OutboxMessage,
    ProcessedEvent,
    Timer,
)

__all__ = [
    "INDICATOR_PAST",
    "INDICATOR_SUM",
    "MEASURES",
    "Base",
    "Booking",
    "BookingHistory",
    "BookingResource",
    "BookingSlot",
    "BookingState",
    "CalendarYear",
    "CatalogueItem",
    "Community",
    "CommunityFigures",
    "CommunityFiguresHistory",
    "CommunitySurvey",
    "Counter",
    "CounterItem",
    "Device",
    "DeviceStateChange",
    "Division",
    "DivisionChange",
    "DivisionChangePart",
    "DivisionExtent",
    "Facility",
    "FacilityHistory",
    "FacilityState",
    "FacilityType",
    "HoursException",
    "IdempotencyKey",
    "ImportChunk",
    "ImportJob",
    "ImportProblem",
    "Indicator",
    "IndicatorMonth",
    "OutboxMessage",
    "Photo",
    "ProcessedEvent",
    "Room",
    "Timer",
    "UnmetNeed",
]
