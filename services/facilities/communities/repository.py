"""Queries of communities and their yearly figures."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, insert, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.divisions.repository import in_force
from services.facilities.models import Base

_COMMUNITY = Base.metadata.tables["community"]
_DIVISION = Base.metadata.tables["division"]
_FIGURES = Base.metadata.tables["community_figures"]
_HISTORY = Base.metadata.tables["community_figures_history"]


async def find(session: AsyncSession, code: str) -> Any | None:
    """One community: code, name, kind."""
    statement = _communities().where(_COMMUNITY.c.code == code)
    return (await session.execute(statement)).one_or_none()


async def existing(session: AsyncSession, codes: Sequence[str]) -> set[str]:
    """Those of these codes that are communities in force."""
    statement = _communities().where(_COMMUNITY.c.code.in_(codes), in_force())
    return {row.code for row in await session.execute(statement)}


async def list_communities(
    session: AsyncSession,
    *,
    codes: tuple[str, str] | None,
    kind: str | None,
    after: str | None,
    limit: int,
) -> Sequence[Any]:
    """Communities in force, by code."""
    conditions: list[ColumnElement[bool]] = [in_force()]
    if codes is not None:
        conditions.append(_COMMUNITY.c.code.between(*codes))
    if kind is not None:
        conditions.append(_DIVISION.c.community_kind == kind)
    if after is not None:
        conditions.append(_COMMUNITY.c.code > after)
    statement = _communities().where(*conditions).order_by(_COMMUNITY.c.code).limit(limit)
    rows: Sequence[Any] = (await session.execute(statement)).all()
    return rows


async def latest_figures(session: AsyncSession, codes: Sequence[str]) -> dict[str, Any]:
    """Code → the figures of the newest year on record."""
    newest = (
        select(_FIGURES)
        .where(_FIGURES.c.community_code == _COMMUNITY.c.code)
        .order_by(_FIGURES.c.year.desc())
        .limit(1)
        .lateral("newest")
    )
    statement = (
        select(newest)
        .select_from(_COMMUNITY.join(newest, true()))
        .where(_COMMUNITY.c.code.in_(codes))
    )
    return {row.community_code: row for row in await session.execute(statement)}


async def list_years(session: AsyncSession, code: str) -> list[int]:
    """The years on record, newest first."""
    statement = (
        select(_FIGURES.c.year)
        .where(_FIGURES.c.community_code == code)
        .order_by(_FIGURES.c.year.desc())
    )
    return list((await session.scalars(statement)).all())


async def find_figures(
    session: AsyncSession, code: str, year: int, *, lock: bool = False
) -> Any | None:
    """The figures of one year; with `lock`, nobody else changes them before we commit."""
    statement = select(_FIGURES).where(_FIGURES.c.community_code == code, _FIGURES.c.year == year)
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).one_or_none()


async def add_figures(session: AsyncSession, values: dict[str, Any]) -> bool:
    """Write the first version of a year; False when somebody else just did."""
    statement = upsert(_FIGURES).values(values).on_conflict_do_nothing()
    added = await session.execute(statement.returning(_FIGURES.c.year))
    if added.first() is None:
        return False
    await session.execute(insert(_HISTORY).values(values))
    return True


async def replace_figures(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write the next version of a year; its row is locked."""
    await session.execute(
        update(_FIGURES)
        .where(
            _FIGURES.c.community_code == values["community_code"],
            _FIGURES.c.year == values["year"],
        )
        .values(values)
    )
    await session.execute(insert(_HISTORY).values(values))


async def list_versions(session: AsyncSession, code: str, year: int) -> Sequence[Any]:
    """Every version of a year's figures, newest first."""
    statement = (
        select(_HISTORY)
        .where(_HISTORY.c.community_code == code, _HISTORY.c.year == year)
        .order_by(_HISTORY.c.version.desc())
    )
    return (await session.execute(statement)).all()


def _communities() -> Select[Any]:
    return select(
        _COMMUNITY.c.code, _DIVISION.c.name, _DIVISION.c.community_kind.label("kind")
    ).select_from(_COMMUNITY.join(_DIVISION, _DIVISION.c.code == _COMMUNITY.c.code))
