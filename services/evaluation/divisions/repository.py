"""Queries of the copies of divisions and figures."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.facilities import CommunityFiguresRecorded, DivisionRecorded
from contracts.values import DivisionLevel, division_prefix
from servicekit.copies import keep_newest
from services.evaluation.models import CommunityFigures, Division

_DIVISION = Division.metadata.tables["division"]
_FIGURES = CommunityFigures.metadata.tables["community_figures"]
_FIND = text("SELECT code, name, level FROM division WHERE code = :code AND valid_until IS NULL")
_NAMES = text("SELECT code, name FROM division WHERE code = ANY(:codes)")
_COMMUNITIES = text(
    "SELECT code, name FROM division WHERE level = :level AND code LIKE :prefix "
    "AND valid_until IS NULL ORDER BY code"
)
#: The newest year that has the figure, not after the year asked for.
_HOUSEHOLDS = text(
    "SELECT DISTINCT ON (code) code, year, households FROM community_figures "
    "WHERE code LIKE :prefix AND year <= :year AND households > 0 ORDER BY code, year DESC"
)


async def keep_division(session: AsyncSession, event: DivisionRecorded) -> None:
    """Store a division's state unless a newer one is there."""
    values = event.model_dump(include=set(_DIVISION.columns.keys()))
    await keep_newest(session, _DIVISION, values, by=("recorded_at",))


async def keep_figures(session: AsyncSession, event: CommunityFiguresRecorded) -> None:
    """Store a year's figures unless a newer record of them is there."""
    values = event.model_dump(include=set(_FIGURES.columns.keys()))
    await keep_newest(session, _FIGURES, values, by=("revision",))


async def find(session: AsyncSession, code: str) -> Any | None:
    """A division that is in force."""
    return (await session.execute(_FIND, {"code": code})).one_or_none()


async def names(session: AsyncSession, codes: Sequence[str]) -> dict[str, str]:
    """Names of divisions, closed ones too."""
    rows = await session.execute(_NAMES, {"codes": list(codes)})
    return {row.code: row.name for row in rows}


async def communities(session: AsyncSession, within: str) -> Sequence[Any]:
    """Villages and communities in force in a division: code and name."""
    values = {"level": DivisionLevel.community.value, "prefix": f"{division_prefix(within)}%"}
    return (await session.execute(_COMMUNITIES, values)).all()


async def households(session: AsyncSession, within: str, year: int) -> dict[str, tuple[int, int]]:
    """Households of communities as last recorded up to a year: code → (households, year)."""
    values = {"prefix": f"{division_prefix(within)}%", "year": year}
    rows = await session.execute(_HOUSEHOLDS, values)
    return {row.code: (row.households, row.year) for row in rows}
