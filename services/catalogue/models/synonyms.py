"""Synonyms: everyday words and the words of the catalogue they stand for."""

from datetime import datetime

from sqlalchemy import BigInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.catalogue.models.base import Base, written_at


class Synonym(Base, table=True):
    """What residents of a division say, and what they mean by it."""

    __tablename__ = "synonym"

    #: The words hold for searches of people in this subtree.
    division_code: str = Field(primary_key=True)
    #: Folded, see `words.fold`.
    word: str = Field(primary_key=True)
    means: list[str] = Field(sa_type=ARRAY(Text))
    version: int
    changed_by: str
    changed_by_name: str | None = None
    changed_at: datetime = written_at()


class SynonymRevision(Base, table=True):
    """One row, raised by every change of a synonym: how replicas know that theirs are old."""

    __tablename__ = "synonym_revision"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    revision: int = Field(sa_type=BigInteger)
