"""Queries of devices and what became of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.models import Base

_DEVICE = Base.metadata.tables["device"]
_CHANGE = Base.metadata.tables["device_state_change"]
_FACILITY = Base.metadata.tables["facility"]


async def add(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write a new device."""
    await session.execute(insert(_DEVICE).values(values))


async def lock(session: AsyncSession, device_id: UUID) -> Any | None:
    """A device with its place, held against other changes until we commit."""
    statement = _devices().where(_DEVICE.c.id == device_id).with_for_update(of=_DEVICE)
    return (await session.execute(statement)).one_or_none()


async def lock_by_key(session: AsyncSession, key_hash: bytes) -> Any | None:
    """The device that holds a key, held until we commit."""
    statement = _devices().where(_DEVICE.c.key_hash == key_hash).with_for_update(of=_DEVICE)
    return (await session.execute(statement)).one_or_none()


async def change(session: AsyncSession, device_id: UUID, values: dict[str, Any]) -> None:
    """Write changes of a locked device."""
    await session.execute(update(_DEVICE).where(_DEVICE.c.id == device_id).values(values))


async def append_change(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write down what became of a device."""
    await session.execute(insert(_CHANGE).values(values))


async def list_of_facility(session: AsyncSession, facility_id: UUID) -> Sequence[Any]:
    """Devices in a facility that are not retired, in the order they were recorded."""
    statement = _devices().where(_DEVICE.c.facility_id == facility_id, _DEVICE.c.state != "retired")
    rows: Sequence[Any] = (await session.execute(statement.order_by(_DEVICE.c.id))).all()
    return rows


async def list_devices(
    session: AsyncSession,
    *,
    codes: tuple[str, str],
    state: str | None,
    paper: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Any]:
    """Devices of a subtree in the order they were recorded."""
    conditions: list[ColumnElement[bool]] = [_FACILITY.c.division_code.between(*codes)]
    if state is not None:
        conditions.append(_DEVICE.c.state == state)
    if paper is not None:
        conditions.append(_DEVICE.c.paper == paper)
    if after is not None:
        conditions.append(_DEVICE.c.id > after)
    statement = _devices().where(*conditions).order_by(_DEVICE.c.id).limit(limit)
    rows: Sequence[Any] = (await session.execute(statement)).all()
    return rows


async def list_changes(
    session: AsyncSession, device_id: UUID, *, before: UUID | None, limit: int
) -> Sequence[Any]:
    """What became of a device, newest first."""
    statement = select(_CHANGE).where(_CHANGE.c.device_id == device_id)
    if before is not None:
        statement = statement.where(_CHANGE.c.id < before)
    return (await session.execute(statement.order_by(_CHANGE.c.id.desc()).limit(limit))).all()


def _devices() -> Select[Any]:
    return select(
        _DEVICE, _FACILITY.c.name.label("facility_name"), _FACILITY.c.division_code
    ).select_from(_DEVICE.join(_FACILITY, _FACILITY.c.id == _DEVICE.c.facility_id))


async def find(session: AsyncSession, device_id: UUID) -> Any | None:
    """A device with its place."""
    return (await session.execute(_devices().where(_DEVICE.c.id == device_id))).one_or_none()
