"""The technical tables of this service, on its own metadata."""

from servicekit import tables
from services.facilities.models.base import Base


class OutboxMessage(tables.OutboxMessageColumns, Base, table=True):
    pass


class ProcessedEvent(tables.ProcessedEventColumns, Base, table=True):
    pass


class IdempotencyKey(tables.IdempotencyKeyColumns, Base, table=True):
    pass


class Timer(tables.TimerColumns, Base, table=True):
    pass
