"""All rows of a query that no memory should hold at once."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

#: Rows read at once.
PAGE = 500


async def every(session: AsyncSession, query: Select[Any], key: Mapped[UUID]) -> AsyncIterator[Any]:
    """Rows in the order of a key that each row has as `id`, some hundreds in memory at a time."""
    query, after = query.order_by(key).limit(PAGE), None
    while True:
        page = query if after is None else query.where(key > after)
        rows = (await session.execute(page)).all()
        for row in rows:
            yield row
        if len(rows) < PAGE:
            return
        after = rows[-1].id
