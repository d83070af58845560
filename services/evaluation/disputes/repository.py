"""Queries of disputes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.evaluation.access import Scope
from services.evaluation.models import Dispute, DisputeState

_TABLE = Dispute.__table__  # type: ignore[attr-defined]


async def add(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Write a new dispute."""
    await session.execute(insert(Dispute).values(**values))


async def find(session: AsyncSession, dispute_id: UUID) -> Any | None:
    """One dispute."""
    query = select(_TABLE).where(col(Dispute.id) == dispute_id)
    return (await session.execute(query)).one_or_none()


async def lock(session: AsyncSession, dispute_id: UUID) -> Any | None:
    """One dispute, locked until the commit."""
    query = select(_TABLE).where(col(Dispute.id) == dispute_id).with_for_update()
    return (await session.execute(query)).one_or_none()


async def change(session: AsyncSession, dispute_id: UUID, values: Mapping[str, Any]) -> None:
    """Change a locked dispute."""
    await session.execute(update(Dispute).where(col(Dispute.id) == dispute_id).values(**values))


async def list_in_scope(
    session: AsyncSession,
    scope: Scope,
    *,
    state: DisputeState | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Disputes of a unit or of a division, oldest first."""
    order = (col(Dispute.raised_at), col(Dispute.id))
    query = select(_TABLE).order_by(*order).limit(limit)
    if scope.unit_code is not None:
        query = query.where(col(Dispute.unit_code) == scope.unit_code)
    if scope.division_prefix is not None:
        query = query.where(
            col(Dispute.responsible_division).startswith(scope.division_prefix, autoescape=True)
        )
    if state is not None:
        query = query.where(col(Dispute.state) == state.value)
    if after is not None:
        at, dispute_id = after
        query = query.where((order[0] > at) | ((order[0] == at) & (order[1] > dispute_id)))
    return (await session.execute(query)).all()
