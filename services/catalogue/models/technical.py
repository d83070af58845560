"""Outbox, inbox, idempotency keys and timers, in this service's own metadata."""

from servicekit import tables
from services.catalogue.models.base import Base


class OutboxMessage(tables.OutboxMessageColumns, Base, table=True):
    pass


class ProcessedEvent(tables.ProcessedEventColumns, Base, table=True):
    pass


class IdempotencyKey(tables.IdempotencyKeyColumns, Base, table=True):
    pass


class Timer(tables.TimerColumns, Base, table=True):
    pass
