"""Queries of the access record."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.requests.models import DataAccess as D


async def list_of_subject(
    session: AsyncSession, subject_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Any]:
    """Accesses to one person's data, newest first (ids are time-ordered)."""
    columns = (
        col(D.id),
        col(D.viewer_name),
        col(D.viewer_unit),
        col(D.record),
        col(D.fields),
        col(D.reason),
        col(D.seen_at),
    )
    statement = select(*columns).where(col(D.subject_id) == subject_id)
    if after is not None:
        statement = statement.where(col(D.id) < after)
    return (await session.execute(statement.order_by(col(D.id).desc()).limit(limit))).all()
