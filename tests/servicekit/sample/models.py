"""Tables owned by the sample service."""

from uuid import UUID

from sqlmodel import Field, SQLModel

from servicekit import tables
from servicekit.database import service_registry


class Base(SQLModel, registry=service_registry()):
    """Metadata of this service alone."""


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


class Note(Base, table=True):
    __tablename__ = "note"

    id: UUID = Field(primary_key=True)
    title: str = Field(unique=True)
    secret: str | None = None
    version: int = 1
