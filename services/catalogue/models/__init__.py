"""Tables owned by the catalogue service. No other service may read them."""

from services.catalogue.models.base import Base
from services.catalogue.models.items import (
    CatalogueRevision,
    DraftState,
    Item,
    ItemDraft,
    ItemHistory,
    ItemScore,
    ItemVersion,
    Status,
)
from services.catalogue.models.technical import (
    IdempotencyKey,
    OutboxMessage,
    ProcessedEvent,
    Timer,
)

__all__ = [
    "Base",
    "CatalogueRevision",
    "DraftState",
    "IdempotencyKey",
    "Item",
    "ItemDraft",
    "ItemHistory",
    "ItemScore",
    "ItemVersion",
    "OutboxMessage",
    "ProcessedEvent",
    "Status",
    "Timer",
]
