"""Columns of the tables of imports; each service hangs them on its own metadata.

`class ImportJob(ImportJobColumns, Base, table=True)`, and so on for the other two; the tables must
have the names given here. Mixins only: no table here.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

_ZERO = {"server_default": text("0"), "nullable": False}


def _time(*, default: bool = False) -> Any:
    options = {"server_default": text("now()"), "nullable": False} if default else {}
    return Field(default=None, sa_type=DateTime(timezone=True), sa_column_kwargs=options)


def _count() -> Any:
    return Field(default=0, sa_type=BigInteger, sa_column_kwargs=_ZERO)


class ImportJobColumns(SQLModel):
    """A file that was handed in, and how far its rows have got."""

    __tablename__ = "import_job"

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805 - of the class, anew for each table
        states = "'waiting', 'running', 'finished', 'failed', 'cancelled'"
        return (
            UniqueConstraint("owner_id", "idempotency_key"),
            CheckConstraint(f"state IN ({states})", name="state"),
            CheckConstraint("format IN ('csv', 'xlsx', 'json')", name="format"),
        )

    id: UUID = Field(primary_key=True)
    kind: str
    #: The subtree of divisions the rows may belong to; whose staff may see the job.
    division_code: str
    state: str = Field(index=True)
    is_dry_run: bool
    preset: str | None = None
    file_name: str
    format: str
    size_bytes: int = Field(sa_type=BigInteger)
    digest: bytes = Field(sa_type=LargeBinary)
    #: An earlier job that finished with the same file, for the same kind, division and preset.
    repeats_id: UUID | None = None
    owner_id: UUID
    owner_name: str | None = None
    idempotency_key: str | None = None
    #: Number of the last row whose outcome is in the database.
    last_row: int = _count()
    rows_read: int = _count()
    rows_created: int = _count()
    rows_changed: int = _count()
    rows_unchanged: int = _count()
    rows_refused: int = _count()
    #: Why it failed as a whole, in words for whoever handed it in.
    failure: str | None = None
    created_at: datetime = _time(default=True)
    started_at: datetime | None = _time()
    finished_at: datetime | None = _time()


class ImportChunkColumns(SQLModel):
    """A piece of a file; gone when its job has ended."""

    __tablename__ = "import_chunk"

    job_id: UUID = Field(primary_key=True, foreign_key="import_job.id")
    position: int = Field(primary_key=True)
    content: bytes = Field(sa_type=LargeBinary)


class ImportProblemColumns(SQLModel):
    """Something that is wrong with a row, and what would put it right."""

    __tablename__ = "import_problem"

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805 - of the class, anew for each table
        return (Index(None, "job_id", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    job_id: UUID = Field(foreign_key="import_job.id")
    row_number: int = Field(sa_type=BigInteger)
    #: The row was left out for it; else it was taken in, with what the message says.
    is_refusal: bool
    field: str
    value: str
    message: str
    remedy: str
