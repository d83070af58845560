"""Queries of notices; every one is bound to its receiver."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange.models import Base

_NOTICE = Base.metadata.tables["notice"]
_READER = Base.metadata.tables["notice_reader"]


async def add(session: AsyncSession, values: dict[str, Any]) -> bool:
    """Write a notice; False when the receiver was told of the event before."""
    statement = upsert(_NOTICE).values(values).on_conflict_do_nothing()
    return (await session.execute(statement.returning(_NOTICE.c.id))).first() is not None


async def list_notices(
    session: AsyncSession, receiver_id: UUID, *, unread: bool, before: UUID | None, limit: int
) -> Sequence[Any]:
    """A receiver's notices, newest first."""
    conditions: list[ColumnElement[bool]] = [_NOTICE.c.receiver_id == receiver_id]
    if unread:
        conditions.append(_NOTICE.c.read_at.is_(None))
    if before is not None:
        conditions.append(_NOTICE.c.id < before)
    statement = select(_NOTICE).where(*conditions).order_by(_NOTICE.c.id.desc()).limit(limit)
    rows: Sequence[Any] = (await session.execute(statement)).all()
    return rows


async def count_unread(session: AsyncSession, receiver_id: UUID) -> int:
    """How many notices a receiver has not read."""
    statement = (
        select(func.count())
        .select_from(_NOTICE)
        .where(_NOTICE.c.receiver_id == receiver_id, _NOTICE.c.read_at.is_(None))
    )
    return (await session.execute(statement)).scalar_one()


async def find(session: AsyncSession, receiver_id: UUID, notice_id: UUID) -> Any | None:
    """One of a receiver's own notices."""
    statement = select(_NOTICE).where(
        _NOTICE.c.id == notice_id, _NOTICE.c.receiver_id == receiver_id
    )
    return (await session.execute(statement)).one_or_none()


async def mark_read(
    session: AsyncSession,
    receiver_id: UUID,
    *,
    now: datetime,
    only: UUID | None = None,
    up_to: UUID | None = None,
) -> int:
    """Mark a receiver's unread notices: one, or all up to one, or all; return how many."""
    conditions: list[ColumnElement[bool]] = [
        _NOTICE.c.receiver_id == receiver_id,
        _NOTICE.c.read_at.is_(None),
    ]
    if only is not None:
        conditions.append(_NOTICE.c.id == only)
    if up_to is not None:
        conditions.append(_NOTICE.c.id <= up_to)
    marked = await session.execute(
        update(_NOTICE).where(*conditions).values(read_at=now).returning(_NOTICE.c.id)
    )
    return len(marked.all())


async def add_reader(session: AsyncSession, about: Iterable[UUID], account_id: UUID) -> None:
    """Tell one more account about a request and its cases from now on."""
    rows = [{"about": each, "account_id": account_id} for each in about]
    await session.execute(upsert(_READER).values(rows).on_conflict_do_nothing())


async def list_readers(session: AsyncSession, about: Iterable[UUID]) -> Sequence[UUID]:
    """The accounts that are told besides the applicant's."""
    statement = select(_READER.c.account_id).where(_READER.c.about.in_(list(about))).distinct()
    return (await session.scalars(statement.order_by(_READER.c.account_id))).all()


async def readdress(
    session: AsyncSession, receiver_id: UUID, to: UUID, *, request_number: str, cases: Sequence[str]
) -> None:
    """Give the notices of a request that nobody could read to somebody who can."""
    about = or_(_NOTICE.c.request_number == request_number, _NOTICE.c.case_number.in_(cases))
    await session.execute(
        update(_NOTICE).where(_NOTICE.c.receiver_id == receiver_id, about).values(receiver_id=to)
    )
