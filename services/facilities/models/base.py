"""Metadata of the facilities service alone, and the column kinds its tables share."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from servicekit.database import service_registry


class Base(SQLModel, registry=service_registry()):
    """Metadata of this service alone."""


def timestamp() -> Any:
    """A timestamptz column; UTC."""
    return Field(
        default=None, sa_type=DateTime(timezone=True), sa_column_kwargs={"nullable": False}
    )


def jsonb(*, nullable: bool = False) -> Any:
    """A jsonb column; an absent value is SQL's null."""
    return Field(
        default=None, sa_type=JSONB(none_as_null=True), sa_column_kwargs={"nullable": nullable}
    )


def square_metres(*, nullable: bool = True) -> Any:
    """An area in square metres, to the hundredth."""
    return Field(
        default=None,
        sa_type=Numeric(12, 2, asdecimal=False),
        sa_column_kwargs={"nullable": nullable},
    )


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """A check that a text column holds one of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)
