"""Queries of facilities and their history."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base

_DIVISION = Base.metadata.tables["division"]
_FACILITY = Base.metadata.tables["facility"]
_HISTORY = Base.metadata.tables["facility_history"]
_OFFER = Base.metadata.tables["counter_item"]
_ROOM = Base.metadata.tables["room"]
_TYPE = Base.metadata.tables["facility_type"]


@dataclass(frozen=True, slots=True)
class FacilityFilter:
    """What a list of facilities is narrowed to."""

    #: First and last division code of a subtree, both included.
    codes: tuple[str, str] | None = None
    facility_type: str | None = None
    state: str | None = None
    #: Taken at one of its counters.
    item_id: UUID | None = None
    #: Names in the accessibility set, all of which it has.
    accessible: tuple[str, ...] = ()
    is_located: bool = False

    def located(self) -> "FacilityFilter":
        """The same, but only those with a position."""
        return replace(self, is_located=True)


async def find(session: AsyncSession, facility_id: UUID, *, lock: bool = False) -> Any | None:
    """One facility with its type; with `lock`, nobody else changes it before we commit."""
    statement = _facilities().where(_FACILITY.c.id == facility_id)
    if lock:
        statement = statement.with_for_update(of=_FACILITY)
    return (await session.execute(statement)).one_or_none()


async def list_facilities(
    session: AsyncSession,
    wanted: FacilityFilter,
    *,
    after: tuple[str, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Facilities by division and, within one, in the order they were recorded."""
    division, identifier = _FACILITY.c.division_code, _FACILITY.c.id
    conditions: list[ColumnElement[bool]] = []
    if wanted.codes is not None:
        conditions.append(division.between(*wanted.codes))
    if wanted.facility_type is not None:
        conditions.append(_FACILITY.c.facility_type == wanted.facility_type)
    if wanted.state is not None:
        conditions.append(_FACILITY.c.state == wanted.state)
    if wanted.is_located:
        conditions.append(_FACILITY.c.latitude.is_not(None))
    if wanted.item_id is not None:
        taken = select(_OFFER.c.facility_id).where(_OFFER.c.item_id == wanted.item_id)
        conditions.append(identifier.in_(taken))
    if wanted.accessible:
        conditions.append(
            _FACILITY.c.accessibility.contains(dict.fromkeys(wanted.accessible, True))
        )
    if after is not None:
        last_division, last_id = after
        conditions.append(
            (division > last_division) | ((division == last_division) & (identifier > last_id))
        )
    statement = _facilities().where(*conditions).order_by(division, identifier).limit(limit)
    rows: Sequence[Any] = (await session.execute(statement)).all()
    return rows


async def has_guests(session: AsyncSession, facility_id: UUID) -> bool:
    """Whether other facilities are inside this one."""
    statement = select(_FACILITY.c.id).where(_FACILITY.c.host_id == facility_id).limit(1)
    return (await session.execute(statement)).first() is not None


async def rooms_area(session: AsyncSession, facility_id: UUID) -> float:
    """Square metres of a facility's rooms, each once."""
    statement = select(func.coalesce(func.sum(_ROOM.c.area_m2), 0)).where(
        _ROOM.c.facility_id == facility_id
    )
    return float((await session.execute(statement)).scalar_one())


async def add(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write a new facility."""
    await session.execute(insert(_FACILITY).values(values))


async def change(session: AsyncSession, facility_id: UUID, values: dict[str, Any]) -> None:
    """Write changes of a facility whose row is locked."""
    await session.execute(update(_FACILITY).where(_FACILITY.c.id == facility_id).values(values))


async def append_history(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write down what happened."""
    await session.execute(insert(_HISTORY).values(values))


async def list_history(
    session: AsyncSession, facility_id: UUID, *, before: int | None, limit: int
) -> Sequence[Any]:
    """What happened to a facility, newest first."""
    statement = select(_HISTORY).where(_HISTORY.c.facility_id == facility_id)
    if before is not None:
        statement = statement.where(_HISTORY.c.version < before)
    return (await session.execute(statement.order_by(_HISTORY.c.version.desc()).limit(limit))).all()


async def note_of_state(session: AsyncSession, facility_id: UUID, state: str) -> str | None:
    """What was noted when a facility last came into a state."""
    statement = (
        select(_HISTORY.c.note)
        .where(
            _HISTORY.c.facility_id == facility_id,
            _HISTORY.c.to_state == state,
            _HISTORY.c.from_state.is_distinct_from(state),
        )
        .order_by(_HISTORY.c.version.desc())
        .limit(1)
    )
    found: str | None = (await session.execute(statement)).scalar()
    return found


def _facilities() -> Select[Any]:
    return select(
        _FACILITY,
        _TYPE.c.name.label("type_name"),
        _TYPE.c.has_daily_hours,
        _TYPE.c.is_comprehensive,
        _DIVISION.c.community_kind,
    ).select_from(
        _FACILITY.join(_TYPE, _TYPE.c.code == _FACILITY.c.facility_type).join(
            _DIVISION, _DIVISION.c.code == _FACILITY.c.division_code
        )
    )
