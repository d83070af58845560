"""设备: seen by anyone, looked after by the facility manager; a device reports with its own key."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.idempotency import Session, UnkeyedSession
from servicekit.paging import After, Limit, Page, id_cursor
from services.facilities.devices import service
from services.facilities.devices.keys import DeviceKey
from services.facilities.devices.schemas import (
    DeviceCreate,
    DeviceEntry,
    DeviceRead,
    DeviceRegistered,
    DeviceState,
    DeviceStateRead,
    Heartbeat,
    HeartbeatTaken,
    Paper,
)

router = create_router("devices")
Manager = Annotated[Caller, Depends(require("facility-manager"))]
Reviewer = Annotated[Caller, Depends(require("facility-manager", "auditor"))]


class DeviceList(BaseModel):
    """The devices in a facility."""

    items: list[DeviceRead]


@router.get("/facilities/{facility_id}/devices")
async def list_devices_of_facility(facility_id: UUID, session: ReadSession) -> DeviceList:
    """一处设施里的设备：在线、离线、缺纸。"""
    return DeviceList(items=await service.list_of_facility(session, facility_id))


@router.post("/facilities/{facility_id}/devices", status_code=201)
async def register_device(
    facility_id: UUID, body: DeviceCreate, caller: Manager, session: UnkeyedSession
) -> DeviceRegistered:
    """登记一台设备；上报密钥只显示这一次，同一序列号不能登记两次。"""
    return await service.register(session, caller, facility_id, body)


@router.get("/devices")
async def list_devices(
    caller: Reviewer,
    session: ReadSession,
    within: Annotated[DivisionCode | None, Query(description="只看这个区划之内的")] = None,
    state: Annotated[DeviceState | None, Query(description="状态")] = None,
    paper: Annotated[Paper | None, Query(description="纸张")] = None,
    after: After = None,
    limit: Limit = 20,
) -> Page[DeviceEntry]:
    """本人负责区域内的设备，可只看离线或缺纸的。"""
    return await service.list_devices(
        session,
        caller,
        within=within,
        state=state,
        paper=paper,
        after=id_cursor(after),
        limit=limit,
    )


@router.post("/devices/{device_id}/key")
async def renew_key(device_id: UUID, caller: Manager, session: UnkeyedSession) -> DeviceRegistered:
    """更换上报密钥；旧密钥立即失效。"""
    return await service.renew_key(session, caller, device_id)


@router.get("/devices/{device_id}/changes")
async def list_changes(
    device_id: UUID, caller: Reviewer, session: ReadSession, after: After = None, limit: Limit = 20
) -> Page[DeviceStateRead]:
    """设备历次上线、离线、缺纸和故障，最新的在前。"""
    return await service.list_changes(
        session, caller, device_id, before=id_cursor(after), limit=limit
    )


@router.delete("/devices/{device_id}", status_code=204)
async def retire_device(device_id: UUID, caller: Manager, session: Session) -> None:
    """停用一台设备；它的记录留存，密钥失效。"""
    await service.retire(session, caller, device_id)


@router.post("/device-heartbeats")
async def report(body: Heartbeat, key: DeviceKey, session: UnkeyedSession) -> HeartbeatTaken:
    """设备上报；凭 X-Device-Key，不用登录。"""
    return await service.hear(session, key, body)
