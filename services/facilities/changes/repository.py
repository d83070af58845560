"""Queries that change the division tree."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.divisions.repository import in_force
from services.facilities.models import Base

_CHANGE = Base.metadata.tables["division_change"]
_COMMUNITY = Base.metadata.tables["community"]
_DIVISION = Base.metadata.tables["division"]
_FACILITY = Base.metadata.tables["facility"]
_PART = Base.metadata.tables["division_change_part"]


async def lock_divisions(session: AsyncSession, codes: Sequence[str]) -> Sequence[Any]:
    """Divisions with whether they are in force, held against other changes until we commit."""
    statement = (
        select(_DIVISION, in_force().label("is_in_force"))
        .where(_DIVISION.c.code.in_(codes))
        .order_by(_DIVISION.c.code)
        .with_for_update()
    )
    return (await session.execute(statement)).all()


async def with_children(session: AsyncSession, codes: Sequence[str]) -> set[str]:
    """Those of these divisions below which something is in force."""
    statement = (
        select(_DIVISION.c.parent_code)
        .where(_DIVISION.c.parent_code.in_(codes), in_force())
        .distinct()
    )
    return {code for code in await session.scalars(statement) if code is not None}


async def add_divisions(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write new divisions, parents first; communities become subjects of figures."""
    for row in rows:
        await session.execute(insert(_DIVISION).values(row))
        if row["level"] == "community":
            values = {"code": row["code"], "recorded_at": row["recorded_at"]}
            await session.execute(insert(_COMMUNITY).values(values))


async def change_division(session: AsyncSession, code: str, values: dict[str, Any]) -> None:
    """Write the next version of a locked division."""
    await session.execute(
        update(_DIVISION)
        .where(_DIVISION.c.code == code)
        .values(values | {"version": _DIVISION.c.version + 1})
    )


async def add_change(
    session: AsyncSession, values: dict[str, Any], parts: Sequence[dict[str, Any]]
) -> None:
    """Write down what was ordered, with both sides."""
    await session.execute(insert(_CHANGE).values(values))
    await session.execute(insert(_PART), list(parts))


async def list_rows(session: AsyncSession, codes: Sequence[str]) -> Sequence[Any]:
    """Divisions as they stand now, parents first."""
    statement = (
        select(_DIVISION)
        .where(_DIVISION.c.code.in_(codes))
        .order_by(func.length(func.rtrim(_DIVISION.c.code, "0")), _DIVISION.c.code)
    )
    return (await session.execute(statement)).all()


async def latest_effect(session: AsyncSession, codes: Sequence[str]) -> date | None:
    """The day on which the newest change of any of these divisions took effect."""
    statement = (
        select(func.max(_CHANGE.c.effective_on))
        .select_from(_CHANGE.join(_PART, _PART.c.change_id == _CHANGE.c.id))
        .where(_PART.c.code.in_(codes))
    )
    found: date | None = (await session.execute(statement)).scalar_one()
    return found


async def facilities_in(session: AsyncSession, codes: Sequence[str]) -> list[UUID]:
    """Facilities that are recorded in exactly these divisions."""
    statement = (
        select(_FACILITY.c.id).where(_FACILITY.c.division_code.in_(codes)).order_by(_FACILITY.c.id)
    )
    return list((await session.scalars(statement)).all())


async def colliding_names(session: AsyncSession, codes: Sequence[str], into: str) -> list[str]:
    """Names that more than one place would have if these divisions became one."""
    statement = (
        select(_FACILITY.c.name)
        .where(_FACILITY.c.division_code.in_([*codes, into]), _FACILITY.c.state != "closed")
        .group_by(_FACILITY.c.name)
        .having(func.count() > 1)
        .order_by(_FACILITY.c.name)
    )
    return list((await session.scalars(statement)).all())
