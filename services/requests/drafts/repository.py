"""Queries of drafts; every one names the account they belong to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.requests.models import RequestDraft as D

_SUMMARY: tuple[Any, ...] = (
    col(D.id), col(D.item_codes), col(D.version), col(D.updated_at), col(D.expires_at),
)  # fmt: skip


async def count_of(session: AsyncSession, account_id: UUID) -> int:
    """How many drafts an account has."""
    statement = select(func.count()).where(col(D.account_id) == account_id)
    return (await session.execute(statement)).scalar_one()


async def insert_draft(session: AsyncSession, values: dict[str, Any]) -> None:
    """Keep a new draft."""
    await session.execute(insert(D).values(**values))


async def find_draft(
    session: AsyncSession, draft_id: UUID, account_id: UUID, *, lock: bool = False
) -> Any | None:
    """A draft that has not expired, with its encrypted body."""
    statement = select(*_SUMMARY, col(D.body)).where(
        col(D.id) == draft_id, col(D.account_id) == account_id, col(D.expires_at) > func.now()
    )
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).one_or_none()


async def update_draft(session: AsyncSession, draft_id: UUID, values: dict[str, Any]) -> None:
    """Change a locked draft."""
    await session.execute(update(D).where(col(D.id) == draft_id).values(**values))


async def delete_draft(session: AsyncSession, draft_id: UUID, account_id: UUID) -> bool:
    """Forget a draft; whether it was there."""
    statement = delete(D).where(col(D.id) == draft_id, col(D.account_id) == account_id)
    return (await session.execute(statement.returning(col(D.id)))).first() is not None


async def delete_expired(session: AsyncSession, draft_id: UUID, now: datetime) -> None:
    """Forget a draft whose time is over; one that was changed meanwhile stays."""
    await session.execute(delete(D).where(col(D.id) == draft_id, col(D.expires_at) <= now))


async def list_drafts(
    session: AsyncSession, account_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Any]:
    """An account's drafts, newest first (ids are time-ordered)."""
    statement = select(*_SUMMARY).where(
        col(D.account_id) == account_id, col(D.expires_at) > func.now()
    )
    if after is not None:
        statement = statement.where(col(D.id) < after)
    return (await session.execute(statement.order_by(col(D.id).desc()).limit(limit))).all()
