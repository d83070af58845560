"""Rows of local copies: in whichever order states arrive, the newest one stays."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession


async def keep_newest(
    session: AsyncSession, table: Table, values: Mapping[str, Any], *, by: Sequence[str]
) -> bool:
    """Store a state's row unless one that is as new or newer is there; whether it was stored.

    `by` names the columns that order the states of one row; each decides where those before are equal.

    Concurrency: one statement; the newer of two at once stays, whichever commits last.
    """
    statement = insert(table).values(**values)
    new = statement.excluded
    stored = await session.execute(
        statement.on_conflict_do_update(
            index_elements=list(table.primary_key),
            set_={name: new[name] for name in values if not table.c[name].primary_key},
            where=tuple_(*(table.c[name] for name in by)) < tuple_(*(new[name] for name in by)),
        ).returning(*table.primary_key)
    )
    return stored.first() is not None
