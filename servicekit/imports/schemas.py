"""Answers about imports."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel


class ImportCounts(BaseModel):
    """Rows by what became of them; in a dry run, by what would."""

    read: int
    created: int
    changed: int
    unchanged: int
    refused: int


class ImportRead(BaseModel):
    """A file that was handed in, and how far it has got."""

    id: UUID
    state: Literal["waiting", "running", "finished", "failed", "cancelled"]
    is_dry_run: bool
    division_code: str
    preset: str | None
    file_name: str
    format: Literal["csv", "xlsx", "json"]
    size_bytes: int
    sha256: str
    #: An earlier import that finished with the same file.
    repeats_id: UUID | None
    owner_name: str | None
    rows: ImportCounts
    failure: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ImportProblemRead(BaseModel):
    """Something that is wrong with a row; without a refusal the row was taken in all the same."""

    row: int
    field: str
    value: str
    message: str
    remedy: str
    is_refusal: bool


def read_job(row: Any) -> ImportRead:
    """A row of `import_job` as it is answered."""
    counts = ImportCounts(
        read=row.rows_read,
        created=row.rows_created,
        changed=row.rows_changed,
        unchanged=row.rows_unchanged,
        refused=row.rows_refused,
    )
    named = {name: getattr(row, name) for name in ImportRead.model_fields if hasattr(row, name)}
    return ImportRead(**named, sha256=row.digest.hex(), rows=counts)


def read_problem(row: Any) -> ImportProblemRead:
    """A row of `import_problem` as it is answered."""
    return ImportProblemRead(
        row=row.row_number,
        field=row.field,
        value=row.value,
        message=row.message,
        remedy=row.remedy,
        is_refusal=row.is_refusal,
    )
