"""Queries of the extents of counties, recorded and observed."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base
from services.facilities.positions.rules import LEAST_OBSERVED, Box

_EXTENT = Base.metadata.tables["division_extent"]
_FACILITY = Base.metadata.tables["facility"]


async def find_extent(session: AsyncSession, code: str, *, lock: bool = False) -> Any | None:
    """The recorded extent of a division; with `lock`, held until we commit."""
    statement = select(_EXTENT).where(_EXTENT.c.division_code == code)
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).one_or_none()


async def add_extent(session: AsyncSession, values: dict[str, Any]) -> bool:
    """Record the first extent of a division; False when somebody else just did."""
    statement = insert(_EXTENT).values(values).on_conflict_do_nothing()
    return (await session.execute(statement.returning(_EXTENT.c.version))).first() is not None


async def replace_extent(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write the next version of an extent whose row is locked."""
    await session.execute(
        _EXTENT.update().where(_EXTENT.c.division_code == values["division_code"]).values(values)
    )


async def observed_box(
    session: AsyncSession, codes: tuple[str, str], *, but: UUID | None
) -> Box | None:
    """The box around the places of a subtree, one of them left out; None when they are too few."""
    latitude, longitude = _FACILITY.c.latitude, _FACILITY.c.longitude
    statement = select(
        func.min(latitude), func.min(longitude), func.max(latitude), func.max(longitude)
    ).where(_FACILITY.c.division_code.between(*codes), latitude.is_not(None))
    if but is not None:
        statement = statement.where(_FACILITY.c.id != but)
    row = (await session.execute(statement.having(func.count() >= LEAST_OBSERVED))).first()
    return Box(*row) if row else None
