"""Queries of rating tags."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Text, any_, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import RatingLevel
from services.evaluation.models import RatingTag

_COLUMNS = (
    col(RatingTag.code),
    col(RatingTag.level),
    col(RatingTag.text),
    col(RatingTag.version),
    col(RatingTag.is_base),
    col(RatingTag.is_retired),
)
_CHANGEABLE = ("level", "text", "version", "is_base", "is_retired")


async def list_tags(
    session: AsyncSession, *, level: RatingLevel | None, with_retired: bool
) -> Sequence[Any]:
    """Tags of a level, or of all."""
    query = select(*_COLUMNS)
    if level is not None:
        query = query.where(col(RatingTag.level) == level.value)
    if not with_retired:
        query = query.where(~col(RatingTag.is_retired))
    return (await session.execute(query)).all()


async def find_tags(session: AsyncSession, codes: Sequence[str]) -> Sequence[Any]:
    """Those of the codes that exist, retired ones too."""
    if not codes:
        return ()
    # One array, not one parameter a code: the statement stays the same and stays prepared.
    named = col(RatingTag.code) == any_(literal(list(codes), ARRAY(Text)))
    return (await session.execute(select(*_COLUMNS).where(named))).all()


async def upsert_tags(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write tags; the file's wording wins."""
    statement = upsert(RatingTag)
    changes = {name: statement.excluded[name] for name in _CHANGEABLE}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["code"], set_=changes), list(rows)
    )


async def retire_all_but(session: AsyncSession, codes: Sequence[str]) -> None:
    """Retire what the file no longer lists; old ratings still carry it."""
    await session.execute(
        update(RatingTag).where(col(RatingTag.code).not_in(codes)).values(is_retired=True)
    )
