"""Queries that gather what is offered where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base

_COUNTER = Base.metadata.tables["counter"]
_DIVISION = Base.metadata.tables["division"]
_FACILITY = Base.metadata.tables["facility"]
_ITEM = Base.metadata.tables["catalogue_item"]
_OFFER = Base.metadata.tables["counter_item"]
_TYPE = Base.metadata.tables["facility_type"]
#: Places that can be named to residents; planned and closed ones cannot.
_SHOWN = ("open", "repair")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of the standard is narrowed to."""

    search: str | None = None
    modified_after: datetime | None = None
    division_code: str | None = None
    facility_type: str | None = None
    item_id: UUID | None = None
    facility_id: UUID | None = None
    #: As `rules.placed_id` makes it.
    placed_id: UUID | None = None


#: Who takes an item where: one row however many counters do.
_OFFERS = (
    select(_OFFER.c.item_id, _OFFER.c.facility_id)
    .select_from(_OFFER.join(_COUNTER, _COUNTER.c.id == _OFFER.c.counter_id))
    .where(_COUNTER.c.is_open)
    .distinct()
    .subquery("offers")
)
_CHANGED = func.greatest(_ITEM.c.recorded_at, _FACILITY.c.recorded_at)


def _offered(wanted: Wanted, *columns: Any) -> Select[Any]:
    statement = (
        select(*columns)
        .select_from(
            _OFFERS.join(_ITEM, _ITEM.c.item_id == _OFFERS.c.item_id).join(
                _FACILITY, _FACILITY.c.id == _OFFERS.c.facility_id
            )
        )
        .where(_FACILITY.c.state.in_(_SHOWN))
    )
    if wanted.search:
        found = func.strpos(_ITEM.c.name, wanted.search) > 0
        found |= func.strpos(_ITEM.c.state["summary"].astext, wanted.search) > 0
        found |= func.strpos(_FACILITY.c.name, wanted.search) > 0
        statement = statement.where(found)
    if wanted.modified_after is not None:
        statement = statement.where(wanted.modified_after <= _CHANGED)
    if wanted.division_code is not None:
        statement = statement.where(_ITEM.c.division_code == wanted.division_code)
    if wanted.facility_type is not None:
        statement = statement.where(_FACILITY.c.facility_type == wanted.facility_type)
    if wanted.item_id is not None:
        statement = statement.where(_ITEM.c.item_id == wanted.item_id)
    if wanted.facility_id is not None:
        statement = statement.where(_FACILITY.c.id == wanted.facility_id)
    if wanted.placed_id is not None:
        both = func.concat(cast(_ITEM.c.item_id, Text), cast(_FACILITY.c.id, Text))
        statement = statement.where(cast(func.md5(both), Uuid) == wanted.placed_id)
    return statement


async def list_services(
    session: AsyncSession, wanted: Wanted, *, offset: int, limit: int
) -> tuple[list[Any], int]:
    """Items that are taken somewhere with their last change, by code; and how many there are."""
    chosen = (
        _offered(wanted, _ITEM.c.item_id, func.max(_CHANGED).label("last_modified"))
        .group_by(_ITEM.c.item_id)
        .subquery("chosen")
    )
    statement = (
        select(_ITEM, chosen.c.last_modified)
        .select_from(_ITEM.join(chosen, chosen.c.item_id == _ITEM.c.item_id))
        .order_by(_ITEM.c.item_code, _ITEM.c.item_id)
    )
    return await _page(session, statement, offset=offset, limit=limit)


async def list_placed(
    session: AsyncSession, wanted: Wanted, *, offset: int, limit: int
) -> tuple[list[Any], int]:
    """Pairs of item and facility by division and code; and how many there are."""
    statement = _offered(
        wanted,
        _ITEM.c.item_id,
        _FACILITY.c.id.label("facility_id"),
        _CHANGED.label("last_modified"),
    ).order_by(_FACILITY.c.division_code, _FACILITY.c.id, _ITEM.c.item_code, _ITEM.c.item_id)
    return await _page(session, statement, offset=offset, limit=limit)


async def facilities_of(session: AsyncSession, item_id: UUID) -> list[UUID]:
    """The places that take an item."""
    statement = _offered(Wanted(item_id=item_id), _FACILITY.c.id).order_by(
        _FACILITY.c.division_code, _FACILITY.c.id
    )
    return list((await session.scalars(statement)).all())


async def list_facilities(
    session: AsyncSession, *, wanted: Wanted, offset: int, limit: int
) -> tuple[list[Any], int]:
    """Places with their types, by division; and how many there are."""
    statement = _places().where(_FACILITY.c.state.in_(_SHOWN))
    if wanted.search:
        statement = statement.where(func.strpos(_FACILITY.c.name, wanted.search) > 0)
    if wanted.modified_after is not None:
        statement = statement.where(_FACILITY.c.recorded_at >= wanted.modified_after)
    if wanted.division_code is not None:
        statement = statement.where(_FACILITY.c.division_code == wanted.division_code)
    if wanted.facility_id is not None:
        statement = statement.where(_FACILITY.c.id == wanted.facility_id)
    statement = statement.order_by(_FACILITY.c.division_code, _FACILITY.c.id)
    return await _page(session, statement, offset=offset, limit=limit)


async def find_facilities(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Id → place with its type."""
    rows = await session.execute(_places().where(_FACILITY.c.id.in_(ids)))
    return {row.id: row for row in rows}


async def find_items(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Id → item."""
    rows = await session.execute(select(_ITEM).where(_ITEM.c.item_id.in_(ids)))
    return {row.item_id: row for row in rows}


async def list_organizations(
    session: AsyncSession, *, search: str | None, code: str | None, offset: int, limit: int
) -> tuple[list[Any], int]:
    """Divisions that offer a service or have a place, by code; and how many there are."""
    offering = _offered(Wanted(), _ITEM.c.division_code).union(
        select(_FACILITY.c.division_code).where(_FACILITY.c.state.in_(_SHOWN))
    )
    statement = select(_DIVISION).where(_DIVISION.c.code.in_(offering))
    if search:
        statement = statement.where(func.strpos(_DIVISION.c.name, search) > 0)
    if code is not None:
        statement = statement.where(_DIVISION.c.code == code)
    return await _page(session, statement.order_by(_DIVISION.c.code), offset=offset, limit=limit)


def _places() -> Select[Any]:
    return select(
        _FACILITY, _TYPE.c.name.label("type_name"), _TYPE.c.source.label("type_source")
    ).select_from(_FACILITY.join(_TYPE, _TYPE.c.code == _FACILITY.c.facility_type))


async def _page(
    session: AsyncSession, statement: Select[Any], *, offset: int, limit: int
) -> tuple[list[Any], int]:
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    total: int = (await session.execute(counted)).scalar_one()
    rows = (await session.execute(statement.offset(offset).limit(limit))).all()
    return list(rows), total
