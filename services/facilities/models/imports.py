"""Imports of yearly figures."""

from servicekit import imports
from services.facilities.models.base import Base


class ImportJob(imports.ImportJobColumns, Base, table=True):
    pass


class ImportChunk(imports.ImportChunkColumns, Base, table=True):
    pass


class ImportProblem(imports.ImportProblemColumns, Base, table=True):
    pass
