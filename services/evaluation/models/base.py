"""Metadata of the evaluation service alone, and the column kinds its tables share."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from servicekit.database import service_registry


class Base(SQLModel, registry=service_registry()):
    """Metadata of this service alone."""


def timestamp(*, nullable: bool = False) -> Any:
    """A timestamptz column; UTC."""
    return Field(
        default=None, sa_type=DateTime(timezone=True), sa_column_kwargs={"nullable": nullable}
    )


def texts() -> Any:
    """A text[] column."""
    return Field(default_factory=list, sa_type=ARRAY(Text))


def number() -> Any:
    """A count that starts at zero."""
    return Field(default=0, sa_column_kwargs={"server_default": text("0")})


def flag() -> Any:
    """A boolean that starts false."""
    return Field(default=False, sa_column_kwargs={"server_default": text("false")})


def hashed() -> Any:
    """A 32-byte keyed hash: equal for equal values, and telling nothing else."""
    return Field(default=None, sa_type=LargeBinary, sa_column_kwargs={"nullable": True})


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """The column holds one of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)
