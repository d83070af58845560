"""Columns of the technical tables; each service hangs them on its own metadata.

`class OutboxMessage(OutboxMessageColumns, Base, table=True)`. Mixins only: no table here.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

_NOW = {"server_default": text("now()"), "nullable": False}


class OutboxMessageColumns(SQLModel):
    """An event that waits for the relay; deleted when Kafka has it."""

    __tablename__ = "outbox_message"

    position: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    id: UUID = Field(unique=True)
    topic: str
    key: str
    type: str
    payload: dict[str, Any] = Field(sa_type=JSONB)
    traceparent: str | None = None
    time: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs=_NOW)


class ProcessedEventColumns(SQLModel):
    """An event whose effect is in the database."""

    __tablename__ = "processed_event"

    consumer: str = Field(primary_key=True)
    event_id: UUID = Field(primary_key=True)
    processed_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs=_NOW)


class IdempotencyKeyColumns(SQLModel):
    """A caller's key and the answer its first use got."""

    __tablename__ = "idempotency_key"

    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body_hash: bytes = Field(sa_type=LargeBinary)
    status: int | None = None
    headers: dict[str, str] | None = Field(default=None, sa_type=JSONB)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs=_NOW)


class TimerColumns(SQLModel):
    """Something that is due at a time: one row per kind and subject."""

    __tablename__ = "timer"

    kind: str = Field(primary_key=True)
    subject_id: UUID = Field(primary_key=True)
    due_at: datetime = Field(sa_type=DateTime(timezone=True), index=True)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})


class DataAccessColumns(SQLModel):
    """Who saw whose personal data, which fields and why."""

    __tablename__ = "data_access"

    id: UUID = Field(primary_key=True)
    subject_id: UUID = Field(index=True)
    viewer_id: UUID
    viewer_name: str | None = None
    viewer_unit: str | None = None
    record: str
    fields: list[str] = Field(sa_type=ARRAY(Text))
    reason: str
    seen_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs=_NOW)
