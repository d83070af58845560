"""The technical tables every service has, on this service's metadata."""

from servicekit import tables
from services.requests.models.base import Base


class OutboxMessage(tables.OutboxMessageColumns, Base, table=True):
    pass


class ProcessedEvent(tables.ProcessedEventColumns, Base, table=True):
    __table_args__ = ({"postgresql_partition_by": "RANGE (event_id)"},)


class IdempotencyKey(tables.IdempotencyKeyColumns, Base, table=True):
    pass


class Timer(tables.TimerColumns, Base, table=True):
    pass


class DataAccess(tables.DataAccessColumns, Base, table=True):
    __table_args__ = ({"postgresql_partition_by": "RANGE (id)"},)
