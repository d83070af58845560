"""Window devices and terminals: registered, shown what to rate, renewed, retired."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Forbidden, NotFound
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor
from servicekit.personal_data import Cipher
from services.evaluation.access import scope_of
from services.evaluation.evaluables import service as evaluables
from services.evaluation.facts import responsible_division
from services.evaluation.invitations import repository
from services.evaluation.invitations.rules import SHOWN
from services.evaluation.invitations.schemas import (
    DeviceCreate,
    DeviceRead,
    DeviceWithToken,
    Prompt,
)
from services.evaluation.invitations.service import opened
from services.evaluation.proofs import Claim, Kind, invitation_token, sign, verify


class DeviceNotFound(NotFound):
    code, title = "device-not-found", "没有找到这台设备"


class DeviceTokenInvalid(Forbidden):
    code, title = "device-token-invalid", "设备凭证无效或已停用"


async def register(
    session: AsyncSession, body: DeviceCreate, *, caller: Caller, cipher: Cipher
) -> DeviceWithToken:
    """Register a device of a unit in the caller's division; its token is shown this once.

    Raises:
        WrongDivision: the unit lies outside.
    """
    caller.ensure_covers(responsible_division(body.unit_code, body.unit_code[:12]))
    device_id = new_id()
    await repository.add_device(
        session,
        {
            **body.model_dump(),
            "id": device_id,
            "token_version": 1,
            "registered_by": caller.account_id,
            "registered_at": now(),
        },
    )
    row = await repository.find_device(session, device_id)
    return _with_token(row, cipher)


async def renew(
    session: AsyncSession, device_id: UUID, *, caller: Caller, cipher: Cipher
) -> DeviceWithToken:
    """Give a device a new token; the old one is refused from now on.

    Raises:
        DeviceNotFound, WrongDivision.
    """
    row = await _own(session, device_id, caller)
    await repository.change_device(
        session, device_id, {"token_version": row.token_version + 1, "retired_at": None}
    )
    return _with_token(await repository.find_device(session, device_id), cipher)


async def retire(session: AsyncSession, device_id: UUID, *, caller: Caller) -> DeviceRead:
    """Take a device out of use.

    Raises:
        DeviceNotFound, WrongDivision.
    """
    await _own(session, device_id, caller)
    await repository.change_device(session, device_id, {"retired_at": now()})
    return _read(await repository.find_device(session, device_id))


async def list_devices(
    session: AsyncSession, *, caller: Caller, after: str | None, limit: int
) -> Page[DeviceRead]:
    """Devices of the caller's unit or division."""
    rows = await repository.list_devices(
        session, scope_of(caller), after=_position(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    cursor = encode_cursor(page[-1].id) if more else None
    return Page(items=[_read(row) for row in page], next=cursor)


async def prompt(session: AsyncSession, token: str, *, cipher: Cipher) -> Prompt | None:
    """What a device shall show now, or None.

    Raises:
        DeviceTokenInvalid: forged, renewed since, or retired.
    """
    claim = verify(cipher, Kind.device, token)
    device = await repository.find_device(session, claim.id) if claim else None
    is_current = claim and device and claim.number == device.token_version
    if not is_current or device is None or device.retired_at is not None:
        raise DeviceTokenInvalid
    shown = await repository.find_shown(session, device.id, now() - SHOWN)
    if shown is None:
        return None
    facts, standing = await evaluables.read(session, shown.evaluable_id)
    return Prompt(
        token=invitation_token(cipher, shown.id, shown.expires_on),
        opened=opened(facts, standing),
    )


async def _own(session: AsyncSession, device_id: UUID, caller: Caller) -> Any:
    row = await repository.find_device(session, device_id, lock=True)
    if row is None:
        raise DeviceNotFound
    caller.ensure_covers(responsible_division(row.unit_code, row.unit_code[:12]))
    return row


def _position(after: str | None) -> UUID | None:
    if after is None:
        return None
    [device_id] = decode_cursor(after, 1)
    try:
        return UUID(device_id)
    except (TypeError, ValueError, AttributeError):
        raise CursorMalformed from None


def _read(row: Any) -> DeviceRead:
    return DeviceRead(
        id=row.id,
        kind=row.kind,
        name=row.name,
        unit_code=row.unit_code,
        window_code=row.window_code,
        facility_id=row.facility_id,
        is_retired=row.retired_at is not None,
        registered_at=row.registered_at,
    )


def _with_token(row: Any, cipher: Cipher) -> DeviceWithToken:
    token = sign(cipher, Kind.device, Claim(row.id, row.token_version))
    return DeviceWithToken(**_read(row).model_dump(), token=token)
