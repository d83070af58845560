"""Queries of what became of divisions: their changes, successors, predecessors, former names."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.divisions.repository import TIME_ZONE
from services.facilities.models import Base

_CHANGE = Base.metadata.tables["division_change"]
_PART = Base.metadata.tables["division_change_part"]

_SUCCESSORS = text(
    """
    WITH RECURSIVE chain AS (
        SELECT CAST(:code AS text) AS code
        UNION
        SELECT later.code
        FROM chain
        JOIN division ON division.code = chain.code AND division.valid_until IS NOT NULL
        JOIN division_change_part earlier ON earlier.code = chain.code AND earlier.side = 'before'
        JOIN division_change_part later
            ON later.change_id = earlier.change_id AND later.side = 'after'
    )
    SELECT division.code, division.name FROM chain JOIN division USING (code)
    WHERE division.valid_until IS NULL
        OR division.valid_until >= timezone(:zone, now())::date
    ORDER BY division.code
    """
)
_NAMED_CHILDREN = text(
    """
    SELECT division.*, coalesce(array_agg(part.name) FILTER (WHERE part.name IS NOT NULL), '{}')
        AS former_names
    FROM division LEFT JOIN division_change_part part
        ON part.code = division.code AND part.side = 'before'
    WHERE division.parent_code IS NOT DISTINCT FROM :parent
    GROUP BY division.code ORDER BY division.code
    """
)
_STARTS = text(
    """
    SELECT division.*, CAST('{}' AS text[]) AS former_names FROM division
    WHERE level IN ('province', 'city', 'county') AND left(name, 2) = left(:text, 2)
    ORDER BY code
    """
)


async def successors(session: AsyncSession, code: str) -> Sequence[Any]:
    """The divisions in force at the end of a chain of changes; itself when it is in force."""
    values = {"code": code, "zone": TIME_ZONE}
    return (await session.execute(_SUCCESSORS, values)).all()


async def list_changes(session: AsyncSession, code: str) -> Sequence[Any]:
    """The changes a division had a part in, in the order in which they took effect."""
    concerned = select(_PART.c.change_id).where(_PART.c.code == code)
    statement = (
        select(_CHANGE)
        .where(_CHANGE.c.id.in_(concerned))
        .order_by(_CHANGE.c.effective_on, _CHANGE.c.id)
    )
    return (await session.execute(statement)).all()


async def list_parts(session: AsyncSession, change_ids: Sequence[UUID]) -> Sequence[Any]:
    """Both sides of changes, by code."""
    statement = select(_PART).where(_PART.c.change_id.in_(change_ids)).order_by(_PART.c.code)
    return (await session.execute(statement)).all()


async def named_children(session: AsyncSession, parent: str | None) -> Sequence[Any]:
    """Every division below one, closed ones too, with the names it had before."""
    return (await session.execute(_NAMED_CHILDREN, {"parent": parent})).all()


async def possible_starts(session: AsyncSession, text_: str) -> Sequence[Any]:
    """Divisions down to counties whose name begins as a text does."""
    return (await session.execute(_STARTS, {"text": text_})).all()
