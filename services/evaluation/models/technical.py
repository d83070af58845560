"""The technical tables every service has, on this service's metadata."""

from servicekit import tables
from services.evaluation.models.base import Base


class OutboxMessage(tables.OutboxMessageColumns, Base, table=True):
    pass


class ProcessedEvent(tables.ProcessedEventColumns, Base, table=True):
    pass


class IdempotencyKey(tables.IdempotencyKeyColumns, Base, table=True):
    pass


class Timer(tables.TimerColumns, Base, table=True):
    pass


class DataAccess(tables.DataAccessColumns, Base, table=True):
    pass
