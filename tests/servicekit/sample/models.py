"""Tables owned by the sample service."""

from uuid import UUID

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from servicekit import imports, tables
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


class ImportJob(imports.ImportJobColumns, Base, table=True):
    pass


class ImportChunk(imports.ImportChunkColumns, Base, table=True):
    pass


class ImportProblem(imports.ImportProblemColumns, Base, table=True):
    pass


class Note(Base, table=True):
    __tablename__ = "note"

    id: UUID = Field(primary_key=True)
    title: str = Field(unique=True)
    secret: str | None = None
    version: int = 1


class NoteCopy(Base, table=True):
    """What consumers know of other people's notes."""

    __tablename__ = "note_copy"

    note_id: UUID = Field(primary_key=True)
    title: str
    revision: int


class Effect(Base, table=True):
    """One row each time something took effect; nothing keeps it from happening twice."""

    __tablename__ = "effect"

    position: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    subject: str
    what: str
