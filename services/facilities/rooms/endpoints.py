"""房间与面积: read by anyone; recorded by the facility manager of a division above."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from pydantic import BaseModel

from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from services.facilities.attempts import Sent
from services.facilities.rooms import service
from services.facilities.rooms.schemas import AreaSummary, RoomRead, RoomWrite

router = create_router("facilities")
Manager = Annotated[Caller, Depends(require("facility-manager"))]


class RoomList(BaseModel):
    """All rooms of a facility."""

    items: list[RoomRead]


@router.get("/facilities/{facility_id}/areas")
async def read_areas(facility_id: UUID, session: ReadSession) -> AreaSummary:
    """面积汇总：一室多用的房间只算一次。"""
    return await service.areas(session, facility_id)


@router.get("/facilities/{facility_id}/rooms")
async def list_rooms(facility_id: UUID, session: ReadSession) -> RoomList:
    """一处设施的全部房间。"""
    return RoomList(items=await service.list_rooms(session, facility_id))


@router.post("/facilities/{facility_id}/rooms", status_code=201)
async def add_room(
    facility_id: UUID,
    body: Sent[RoomWrite],
    caller: Manager,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> RoomRead:
    """登记一间房；If-Match 和返回的 ETag 都是设施的版本。"""
    room, version = await service.add(session, caller, facility_id, body, expected=expected)
    set_etag(response, version)
    return room


@router.put("/facilities/{facility_id}/rooms/{room_id}")
async def change_room(
    facility_id: UUID,
    room_id: UUID,
    body: Sent[RoomWrite],
    caller: Manager,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> RoomRead:
    """修改一间房，整体替换。"""
    room, version = await service.change(
        session, caller, facility_id, room_id, body, expected=expected
    )
    set_etag(response, version)
    return room


@router.delete("/facilities/{facility_id}/rooms/{room_id}", status_code=204)
async def remove_room(
    facility_id: UUID,
    room_id: UUID,
    caller: Manager,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> None:
    """删除一间房；设施的变更记录里仍能看到。"""
    version = await service.remove(session, caller, facility_id, room_id, expected=expected)
    set_etag(response, version)
