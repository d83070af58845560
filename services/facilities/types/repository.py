"""Queries of the dictionary of facility types."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base

_TYPE = Base.metadata.tables["facility_type"]


async def store(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Write the dictionary over what is there; types it no longer names are kept."""
    statement = upsert(_TYPE).values(rows)
    others = {name: statement.excluded[name] for name in rows[0] if name != "code"}
    await session.execute(statement.on_conflict_do_update(index_elements=["code"], set_=others))


async def list_all(session: AsyncSession) -> Sequence[Any]:
    """The dictionary in its own order."""
    return (await session.execute(select(_TYPE).order_by(_TYPE.c.position))).all()


async def exists(session: AsyncSession, code: str) -> bool:
    """Whether the dictionary knows a type."""
    found = await session.execute(select(_TYPE.c.code).where(_TYPE.c.code == code))
    return found.first() is not None
