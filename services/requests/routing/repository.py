"""Queries of units."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.requests.models import Unit


async def list_units(
    session: AsyncSession, *, within: str | None, after: str | None, limit: int
) -> Sequence[Any]:
    """Units below a division, by code."""
    statement = select(
        col(Unit.code),
        col(Unit.name),
        col(Unit.division_code),
        col(Unit.department),
        col(Unit.provisional),
    )
    if within:
        statement = statement.where(col(Unit.code).startswith(division_prefix(within)))
    if after:
        statement = statement.where(col(Unit.code) > after)
    return (await session.execute(statement.order_by(col(Unit.code)).limit(limit))).all()
