"""Imports of items, and the approval of what one of them wrote."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, text
from sqlmodel import Field

from servicekit import imports
from services.catalogue.models.base import Base, moment, written_at

_COUNT = {"server_default": text("0"), "nullable": False}


class ImportJob(imports.ImportJobColumns, Base, table=True):
    pass


class ImportChunk(imports.ImportChunkColumns, Base, table=True):
    pass


class ImportProblem(imports.ImportProblemColumns, Base, table=True):
    pass


class ImportApproval(Base, table=True):
    """One approver's decision to publish every draft of an import that still lies in review."""

    __tablename__ = "import_approval"

    import_id: UUID = Field(primary_key=True, foreign_key="import_job.id")
    approver: str
    approver_name: str | None = None
    reason: str | None = None
    published: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=_COUNT)
    #: Left to be looked at one by one: written by the approver, or against a rule by now.
    left_over: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=_COUNT)
    decided_at: datetime = written_at()
    finished_at: datetime | None = moment()
