"""Metadata of the requests service alone, and the column kinds its tables share."""

from typing import Any

from sqlalchemy import DateTime, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from servicekit.database import service_registry


class Base(SQLModel, registry=service_registry()):
    """Metadata of this service alone."""


def timestamp(*, default_now: bool = False, nullable: bool = False, index: bool = False) -> Any:
    """A timestamptz column; UTC."""
    kwargs: dict[str, Any] = {"nullable": nullable}
    if default_now:
        kwargs["server_default"] = text("now()")
    return Field(
        default=None, sa_type=DateTime(timezone=True), sa_column_kwargs=kwargs, index=index
    )


def jsonb(*, nullable: bool = False) -> Any:
    """A jsonb column."""
    return Field(default=None, sa_type=JSONB, sa_column_kwargs={"nullable": nullable})
