"""Devices: registered with a key, heard of by heartbeat, missed by a timer."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, NotFound, Unauthenticated
from servicekit.identifiers import new_id
from servicekit.paging import Page, cut, encode_cursor
from servicekit.timers import cancel_timers, set_timer
from services.facilities.devices import repository
from services.facilities.devices.rules import (
    HEARTBEAT_SECONDS,
    REPORTING,
    SILENCE,
    Condition,
    Report,
    after_report,
    digest,
    is_silent,
    new_key,
)
from services.facilities.devices.schemas import (
    DeviceCreate,
    DeviceEntry,
    DeviceRead,
    DeviceRegistered,
    DeviceStateRead,
    Heartbeat,
    HeartbeatTaken,
)
from services.facilities.divisions.service import subtree
from services.facilities.facilities import service as facilities
from services.facilities.indicators import service as indicators
from services.facilities.metrics import DEVICE_CHANGES

SILENT = "device-silent"


class DeviceNotFound(NotFound):
    code, title = "device-not-found", "没有这台设备"


class DeviceSerialTaken(Conflict):
    code, title = "device-serial-taken", "这个序列号的设备已经登记"


class DeviceMute(Conflict):
    code, title = "device-does-not-report", "这台设备已停用，或不属于会上报的种类"


class DeviceKeyUnknown(Unauthenticated):
    code, title = "device-key-unknown", "设备密钥无效"


async def register(
    session: AsyncSession, caller: Caller, facility_id: UUID, body: DeviceCreate
) -> DeviceRegistered:
    """Record a device; one that reports gets its key.

    Raises:
        FacilityNotFound: there is no such facility.
        WrongDivision: it lies outside the caller's subtree.
        DeviceSerialTaken: the serial number is on record (at commit).
    """
    place = await facilities.find_row(session, facility_id)
    caller.ensure_covers(place.division_code)
    key = new_key() if body.kind in REPORTING else None
    values = body.model_dump() | {
        "id": new_id(),
        "facility_id": facility_id,
        "version": 1,
        "state": "never-seen",
        "key_hash": digest(key) if key else None,
        "recorded_at": outbox.now(),
    }
    await repository.add(session, values)
    await indicators.refresh_around(session, facility_id)
    return await _registered(session, values["id"], key)


async def renew_key(session: AsyncSession, caller: Caller, device_id: UUID) -> DeviceRegistered:
    """Give a device a new key; the old one ends at once.

    Raises:
        DeviceNotFound: there is none.
        WrongDivision: it stands outside the caller's subtree.
        DeviceMute: it is retired or of a kind that does not report.
    """
    row = await _lock(session, caller, device_id)
    if row.state == "retired" or row.kind not in REPORTING:
        raise DeviceMute
    key = new_key()
    await repository.change(
        session, device_id, {"key_hash": digest(key), "version": row.version + 1}
    )
    return await _registered(session, device_id, key)


async def retire(session: AsyncSession, caller: Caller, device_id: UUID) -> None:
    """Take a device out of use; a second time changes nothing.

    Raises:
        DeviceNotFound: there is none.
        WrongDivision: it stands outside the caller's subtree.
    """
    row = await _lock(session, caller, device_id)
    if row.state == "retired":
        return
    await cancel_timers(session, device_id, SILENT)
    await repository.change(session, device_id, {"key_hash": None, "version": row.version + 1})
    await _become(session, row, Condition("retired", None, None))
    await indicators.refresh_around(session, row.facility_id)


async def hear(session: AsyncSession, key: str, body: Heartbeat) -> HeartbeatTaken:
    """Take a device's report; it is online from now until it falls silent.

    Concurrency: locks the device. A repeat only renews the time.

    Raises:
        DeviceKeyUnknown: no device holds the key.
    """
    row = await repository.lock_by_key(session, digest(key))
    if row is None:
        raise DeviceKeyUnknown
    now = outbox.now()
    await repository.change(session, row.id, {"last_seen_at": now})
    await set_timer(session, SILENT, row.id, now + SILENCE)
    await _become(session, row, after_report(Report(body.paper, body.fault)))
    return HeartbeatTaken(
        device_id=row.id, state="online", report_again_in_seconds=HEARTBEAT_SECONDS
    )


async def miss(session: AsyncSession, device_id: UUID) -> None:
    """Call a device offline when it has been silent; a timer's handler."""
    row = await repository.lock(session, device_id)
    if row is None or row.state != "online":
        return
    if not is_silent(row.last_seen_at, outbox.now()):
        await set_timer(session, SILENT, device_id, row.last_seen_at + SILENCE)
        return
    await _become(session, row, Condition("offline", row.paper, row.fault))


async def list_of_facility(session: AsyncSession, facility_id: UUID) -> list[DeviceRead]:
    """Devices in a facility.

    Raises:
        FacilityNotFound: there is none.
    """
    await facilities.find_row(session, facility_id)
    rows = await repository.list_of_facility(session, facility_id)
    return [DeviceRead.model_validate(dict(row._mapping)) for row in rows]


async def list_devices(
    session: AsyncSession,
    caller: Caller,
    *,
    within: str | None,
    state: str | None,
    paper: str | None,
    after: UUID | None,
    limit: int,
) -> Page[DeviceEntry]:
    """Devices of the caller's subtree, or of a division in it.

    Raises:
        WrongDivision: the division lies outside.
    """
    division = within or caller.division or ""
    caller.ensure_covers(division)
    rows = await repository.list_devices(
        session, codes=subtree(division), state=state, paper=paper, after=after, limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    entries = [DeviceEntry.model_validate(dict(row._mapping)) for row in page]
    return Page(items=entries, next=encode_cursor(entries[-1].id) if more else None)


async def list_changes(
    session: AsyncSession, caller: Caller, device_id: UUID, *, before: UUID | None, limit: int
) -> Page[DeviceStateRead]:
    """What became of a device, newest first.

    Raises:
        DeviceNotFound: there is none.
        WrongDivision: it stands outside the caller's subtree.
    """
    row = await repository.find(session, device_id)
    if row is None:
        raise DeviceNotFound
    caller.ensure_covers(row.division_code)
    rows = await repository.list_changes(session, device_id, before=before, limit=limit + 1)
    page, more = cut(list(rows), limit)
    changes = [DeviceStateRead.model_validate(dict(row._mapping)) for row in page]
    return Page(items=changes, next=encode_cursor(page[-1].id) if more else None)


async def _lock(session: AsyncSession, caller: Caller, device_id: UUID) -> Any:
    row = await repository.lock(session, device_id)
    if row is None:
        raise DeviceNotFound
    caller.ensure_covers(row.division_code)
    return row


async def _become(session: AsyncSession, row: Any, condition: Condition) -> None:
    """Write a device's new condition and its history, if it is another than before."""
    values = {"state": condition.state, "paper": condition.paper, "fault": condition.fault}
    if values == {name: getattr(row, name) for name in values}:
        return
    await repository.change(session, row.id, values)
    await repository.append_change(
        session, values | {"id": new_id(), "device_id": row.id, "happened_at": outbox.now()}
    )
    DEVICE_CHANGES.labels(condition.state).inc()


async def _registered(session: AsyncSession, device_id: UUID, key: str | None) -> DeviceRegistered:
    row = await repository.find(session, device_id)
    assert row is not None
    return DeviceRegistered.model_validate({**row._mapping, "key": key})
