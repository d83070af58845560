"""Rooms of a facility; each change is a new version of the facility, with its history."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.identifiers import new_id
from services.facilities.attempts import Attempt
from services.facilities.facilities import service as facilities
from services.facilities.rooms import repository
from services.facilities.rooms.rules import RoomArea, by_use, shared, total
from services.facilities.rooms.schemas import AreaSummary, RoomRead, RoomWrite, UseArea
from services.facilities.types import service as types


class RoomNotFound(NotFound):
    code, title = "room-not-found", "这处设施没有这间房"


class RoomNameTaken(Conflict):
    code, title = "room-name-taken", "这处设施已有同名的房间"


class RoomInvalid(Invalid):
    code, title = "room-invalid", "房间信息有误，请按提示修改"


async def list_rooms(session: AsyncSession, facility_id: UUID) -> list[RoomRead]:
    """The rooms of a facility.

    Raises:
        FacilityNotFound: there is none.
    """
    await facilities.find_row(session, facility_id)
    return [_read(row) for row in await repository.list_rooms(session, facility_id)]


async def areas(session: AsyncSession, facility_id: UUID) -> AreaSummary:
    """The areas of a facility, shared ones counted once.

    Raises:
        FacilityNotFound: there is none.
    """
    row = await facilities.find_row(session, facility_id)
    rooms = [_area(room) for room in await repository.list_rooms(session, facility_id)]
    return AreaSummary(
        total_area_m2=row.total_area_m2,
        activity_area_m2=row.activity_area_m2,
        office_area_m2=row.office_area_m2,
        counted_area_m2=row.total_area_m2 if row.host_id is None else 0,
        rooms_area_m2=total(rooms),
        shared_area_m2=shared(rooms),
        rooms_without_area=sum(room.area_m2 is None for room in rooms),
        by_use=[
            UseArea(use=use, rooms=count, area_m2=area)
            for use, (count, area) in by_use(rooms).items()
        ],
        guests=await repository.list_guests(session, facility_id),
    )


async def add(
    session: AsyncSession,
    caller: Caller,
    facility_id: UUID,
    attempt: Attempt[RoomWrite],
    *,
    expected: int,
) -> tuple[RoomRead, int]:
    """Record a room; returns it and the facility's new version.

    Raises:
        FacilityNotFound: there is no such facility.
        WrongDivision: it lies outside the caller's subtree.
        StaleVersion: another version of the facility than the one the caller has read.
        Invalid: fields are not as they should be.
        RoomInvalid: a use that is no room's, or more area than the facility has.
        RoomNameTaken: there is one of that name.
    """
    row = await facilities.lock(session, caller, facility_id, expected=expected)
    body = await _valid(session, row, attempt, room_id=None)
    values = _values(row, body) | {"id": new_id(), "facility_id": facility_id}
    await repository.add(session, values)
    changed = await facilities.update(session, caller, row, {}, action="add-room", note=body.name)
    return RoomRead.model_validate(values), changed.version


async def change(
    session: AsyncSession,
    caller: Caller,
    facility_id: UUID,
    room_id: UUID,
    attempt: Attempt[RoomWrite],
    *,
    expected: int,
) -> tuple[RoomRead, int]:
    """Write over a room; returns it and the facility's new version.

    Raises:
        FacilityNotFound, RoomNotFound: there is none.
        WrongDivision: it lies outside the caller's subtree.
        StaleVersion: another version of the facility than the one the caller has read.
        Invalid: fields are not as they should be.
        RoomInvalid: a use that is no room's, or more area than the facility has.
        RoomNameTaken: there is one of that name.
    """
    row = await facilities.lock(session, caller, facility_id, expected=expected)
    await _find(session, facility_id, room_id)
    body = await _valid(session, row, attempt, room_id=room_id)
    await repository.change(session, room_id, _values(row, body))
    changed = await facilities.update(
        session, caller, row, {}, action="change-room", note=body.name
    )
    return RoomRead(id=room_id, **body.model_dump()), changed.version


async def remove(
    session: AsyncSession, caller: Caller, facility_id: UUID, room_id: UUID, *, expected: int
) -> int:
    """Forget a room; returns the facility's new version.

    Raises:
        FacilityNotFound, RoomNotFound: there is none.
        WrongDivision: it lies outside the caller's subtree.
        StaleVersion: another version of the facility than the one the caller has read.
    """
    row = await facilities.lock(session, caller, facility_id, expected=expected)
    room = await _find(session, facility_id, room_id)
    await repository.remove(session, room_id)
    changed = await facilities.update(
        session, caller, row, {}, action="remove-room", note=room.name
    )
    return changed.version


async def _valid(
    session: AsyncSession, facility: Any, attempt: Attempt[RoomWrite], *, room_id: UUID | None
) -> RoomWrite:
    """The body of a request, when nothing is wrong with it."""
    body = attempt.body
    rooms = {row.id: row for row in await repository.list_rooms(session, facility.id)}
    rooms.pop(room_id, None)
    known = {entry.code for entry in await types.list_types(session) if entry.form == "room"}
    errors = [
        _error(f"/uses/{index}", "设施类型字典里没有这种房间", "use-unknown")
        for index, use in enumerate([] if "uses" in attempt.unread else body.uses)
        if use not in known
    ]
    others = total([_area(row) for row in rooms.values()])
    if (
        body.area_m2 is not None
        and facility.total_area_m2 is not None
        and others + body.area_m2 > facility.total_area_m2
    ):
        left = facility.total_area_m2 - others
        words = f"各房间面积之和超过总建筑面积，还剩 {left:g} 平方米"
        errors.append(_error("/area_m2", words, "area-too-large"))
    attempt.ensure_faultless(errors, RoomInvalid)
    if any(row.name == body.name for row in rooms.values()):
        raise RoomNameTaken
    return body


def _error(path: str, message: str, kind: str) -> dict[str, str]:
    return {"path": path, "in": "body", "message": message, "type": kind}


async def _find(session: AsyncSession, facility_id: UUID, room_id: UUID) -> Any:
    for row in await repository.list_rooms(session, facility_id):
        if row.id == room_id:
            return row
    raise RoomNotFound


def _values(facility: Any, body: RoomWrite) -> dict[str, Any]:
    return body.model_dump() | {"version": facility.version + 1, "recorded_at": outbox.now()}


def _area(row: Any) -> RoomArea:
    return RoomArea(row.area_m2, row.uses)


def _read(row: Any) -> RoomRead:
    return RoomRead.model_validate(dict(row._mapping))
