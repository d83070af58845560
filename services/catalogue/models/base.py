"""Metadata of the catalogue service alone, and the column kinds its tables share."""

from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from servicekit.database import service_registry


class Base(SQLModel, registry=service_registry()):
    """Metadata of this service alone."""


def one_of(column: str, values: type[StrEnum], *, nullable: bool = False) -> str:
    """The condition that a column holds a value of an enumeration."""
    listed = f"{column} IN ({', '.join(repr(str(value)) for value in values)})"
    return f"{column} IS NULL OR {listed}" if nullable else listed


def written_at() -> Any:
    """When the row was written, by the database's clock."""
    return Field(
        default=None,
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": text("now()"), "nullable": False},
    )


def moment() -> Any:
    """A time that may be missing."""
    return Field(default=None, sa_type=DateTime(timezone=True), sa_column_kwargs={"nullable": True})


def jsonb() -> Any:
    """A jsonb column that is always there."""
    return Field(default=None, sa_type=JSONB, sa_column_kwargs={"nullable": False})
