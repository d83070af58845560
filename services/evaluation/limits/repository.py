"""Queries of limits."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Text, any_, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.evaluation.models import DivisionLimits

_TABLE = DivisionLimits.__table__  # type: ignore[attr-defined]


async def list_of(session: AsyncSession, divisions: Sequence[str]) -> Sequence[Any]:
    """The limits that these divisions set themselves."""
    named = col(DivisionLimits.division_code) == any_(literal(list(divisions), ARRAY(Text)))
    return (await session.execute(select(_TABLE).where(named))).all()


async def lock(session: AsyncSession, division_code: str) -> Any | None:
    """The limits a division set itself, locked until the commit."""
    query = select(_TABLE).where(col(DivisionLimits.division_code) == division_code)
    return (await session.execute(query.with_for_update())).one_or_none()


async def write(session: AsyncSession, values: Mapping[str, Any], *, is_new: bool) -> None:
    """Write the limits of a division."""
    if is_new:
        await session.execute(insert(DivisionLimits).values(**values))
        return
    code = col(DivisionLimits.division_code) == values["division_code"]
    await session.execute(update(DivisionLimits).where(code).values(**values))
