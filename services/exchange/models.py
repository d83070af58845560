"""Tables owned by the exchange service. No other service may read them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from servicekit import tables
from servicekit.database import service_registry


class Base(SQLModel, registry=service_registry()):
    """Metadata of this service alone."""


def _timestamp(*, nullable: bool = False) -> Any:
    return Field(
        default=None, sa_type=DateTime(timezone=True), sa_column_kwargs={"nullable": nullable}
    )


class OutboxMessage(tables.OutboxMessageColumns, Base, table=True):
    pass


class ProcessedEvent(tables.ProcessedEventColumns, Base, table=True):
    pass


class IdempotencyKey(tables.IdempotencyKeyColumns, Base, table=True):
    pass


class NoticeReader(Base, table=True):
    """认领: one more account that is told about a request and its cases."""

    __tablename__ = "notice_reader"

    #: A request or one of its cases.
    about: UUID = Field(primary_key=True)
    account_id: UUID = Field(primary_key=True)


class Notice(Base, table=True):
    """站内通知: told to one receiver because of one event; ids grow with time."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("event_id", "receiver_id"),
        Index("ix_notice_receiver_id", "receiver_id", "id"),
        Index("ix_notice_unread", "receiver_id", "id", postgresql_where=text("read_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    receiver_id: UUID
    template: str
    title: str
    body: str
    request_number: str | None = None
    case_number: str | None = None
    event_id: UUID
    created_at: datetime = _timestamp()
    read_at: datetime | None = _timestamp(nullable=True)
