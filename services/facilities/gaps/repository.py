"""Queries of gaps: places that might become centres, and what residents did not find."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import UnmetNeedsListed
from services.facilities.divisions.repository import in_force
from services.facilities.models import Base, FacilityState

_DIVISION = Base.metadata.tables["division"]
_FACILITY = Base.metadata.tables["facility"]
_TYPE = Base.metadata.tables["facility_type"]
_NEED = Base.metadata.tables["unmet_need"]


async def list_communities(session: AsyncSession, codes: tuple[str, str]) -> dict[str, str]:
    """Code → name of the communities of a subtree."""
    statement = select(_DIVISION.c.code, _DIVISION.c.name).where(
        _DIVISION.c.code.between(*codes), _DIVISION.c.level == "community", in_force()
    )
    return {row.code: row.name for row in await session.execute(statement)}


async def list_places(session: AsyncSession, codes: tuple[str, str]) -> Sequence[Any]:
    """Places that are not closed, other than grounds and points, with their kind."""
    statement = (
        select(
            _FACILITY.c.division_code,
            _FACILITY.c.name,
            _FACILITY.c.state,
            _FACILITY.c.total_area_m2,
            _FACILITY.c.office_area_m2,
            _FACILITY.c.sharing.is_not(None).label("is_shared"),
            _TYPE.c.is_comprehensive,
        )
        .select_from(_FACILITY.join(_TYPE, _TYPE.c.code == _FACILITY.c.facility_type))
        .where(
            _FACILITY.c.division_code.between(*codes),
            _FACILITY.c.state != FacilityState.closed,
            _FACILITY.c.host_id.is_(None),
            _TYPE.c.form == "place",
        )
        .order_by(_FACILITY.c.id)
    )
    return (await session.execute(statement)).all()


async def list_needs(session: AsyncSession, codes: tuple[str, str], since: date) -> Sequence[Any]:
    """What was asked for in the villages of a subtree since a month, most asked for first."""
    asked = (_NEED.c.searches + _NEED.c.wishes + _NEED.c.refusals).label("asked")
    statement = (
        select(_NEED, asked)
        .where(_NEED.c.division_code.between(*codes), _NEED.c.month >= since)
        .order_by(asked.desc(), _NEED.c.month.desc(), _NEED.c.position)
    )
    rows: Sequence[Any] = (await session.execute(statement)).all()
    return rows


async def keep_needs(session: AsyncSession, event: UnmetNeedsListed) -> None:
    """Keep a county's list of a month in place of an older one."""
    mine = (
        _NEED.c.list_division_code == event.division_code,
        _NEED.c.month == event.month,
    )
    told_at = (await session.execute(select(func.max(_NEED.c.told_at)).where(*mine))).scalar()
    if told_at is not None and told_at >= event.occurred_at:
        return
    await session.execute(delete(_NEED).where(*mine))
    rows = [
        need.model_dump()
        | {
            "list_division_code": event.division_code,
            "month": event.month,
            "position": position,
            "list_id": event.list_id,
            "told_at": event.occurred_at,
        }
        for position, need in enumerate(event.needs)
    ]
    if rows:
        await session.execute(insert(_NEED), rows)
