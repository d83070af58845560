"""Entries of the basic catalogue as rows of a sheet."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalogue.basics import repository
from services.catalogue.sheets import cells
from services.catalogue.sheets.columns import Layout


async def rows(session: AsyncSession, at: Layout, division: str) -> AsyncIterator[list[Any]]:
    """Entries that a division or one below it keeps, cancelled ones too, to be imported again."""
    async for entry in repository.iterate(session, division):
        said: dict[str, Any] = {
            **entry.content,
            "basic_code": entry.basic_code,
            "division_code": entry.division_code,
            "state": entry.state,
        }
        yield [cells.write(column.kind, said.get(column.field), at.scheme) for column in at.columns]
