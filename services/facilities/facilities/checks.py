"""What a record of a facility must satisfy against everything else that is recorded."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.errors import Invalid
from services.facilities.attempts import Attempt, Unread
from services.facilities.divisions import service as divisions
from services.facilities.facilities import repository
from services.facilities.facilities.rules import CHECKS, Fault, position_faults
from services.facilities.facilities.schemas import FacilityFields
from services.facilities.positions import service as positions
from services.facilities.types import service as types


class FacilityInvalid(Invalid):
    code, title = "facility-invalid", "设施信息有误，请按提示修改"


async def ensure_valid(
    session: AsyncSession,
    attempt: Attempt[Any],
    record: FacilityFields,
    *,
    facility_id: UUID | None,
) -> None:
    """Everything that is wrong with a record and the body it was made of, at once.

    Raises:
        Invalid: fields are not as they should be.
        FacilityInvalid: fields contradict each other, or name a type or division unknown here.
    """
    known = attempt.known(record)
    found: list[Fault] = []
    for rule in CHECKS:
        with suppress(Unread):
            found += rule(known)
    for check in _CHECKS:
        with suppress(Unread):
            found += await check(session, known, facility_id)
    attempt.ensure_faultless(
        (
            {"path": fault.path, "in": "body", "message": fault.message, "type": fault.type}
            for fault in found
        ),
        FacilityInvalid,
    )


async def _type_faults(
    session: AsyncSession, record: FacilityFields, _: UUID | None
) -> list[Fault]:
    if await types.is_known(session, record.facility_type):
        return []
    return [Fault("/facility_type", "设施类型字典里没有这个类型", "type-unknown")]


async def _division_faults(
    session: AsyncSession, record: FacilityFields, _: UUID | None
) -> list[Fault]:
    if await divisions.is_in_force(session, record.division_code):
        return []
    return [Fault("/division_code", "没有这个行政区划，或它已撤销", "division-unknown")]


async def _position_faults(
    session: AsyncSession, record: FacilityFields, facility_id: UUID | None
) -> list[Fault]:
    if record.position is None:
        return []
    point = record.position.wgs84
    if found := position_faults(point.latitude, point.longitude):
        return found
    misplaced = await positions.misplacement(session, record.division_code, point, but=facility_id)
    if misplaced is None:
        return []
    against = "登记的四至范围" if misplaced.is_recorded else "其他设施所在的范围"
    message = f"坐标在所属县（市、区）{against}之外约 {misplaced.metres / 1000:.0f} 公里"
    return [Fault("/position", message, "outside-county")]


async def _room_faults(
    session: AsyncSession, record: FacilityFields, facility_id: UUID | None
) -> list[Fault]:
    if facility_id is None or record.total_area_m2 is None:
        return []
    rooms = await repository.rooms_area(session, facility_id)
    if rooms <= record.total_area_m2:
        return []
    return [Fault("/total_area_m2", f"小于各房间面积之和（{rooms:g} 平方米）", "area-too-small")]


async def _host_faults(
    session: AsyncSession, record: FacilityFields, facility_id: UUID | None
) -> list[Fault]:
    """What speaks against a place being inside another: one level, one division, room enough."""
    if record.host_id is None:
        return []
    host = await repository.find(session, record.host_id)
    if host is None or record.host_id == facility_id:
        return [Fault("/host_id", "没有这处设施，或就是本设施", "host-unknown")]
    if host.host_id is not None or (
        facility_id is not None and await repository.has_guests(session, facility_id)
    ):
        return [Fault("/host_id", "设在他处之内的设施里不能再设设施", "host-nested")]
    if host.division_code != record.division_code:
        return [Fault("/host_id", "与所在的设施应属同一区划", "host-elsewhere")]
    if (
        host.total_area_m2 is not None
        and record.total_area_m2 is not None
        and record.total_area_m2 > host.total_area_m2
    ):
        return [Fault("/total_area_m2", "面积不能大于所在的设施", "area-too-large")]
    return []


_CHECKS: tuple[
    Callable[[AsyncSession, FacilityFields, UUID | None], Awaitable[list[Fault]]], ...
] = (_position_faults, _host_faults, _room_faults, _type_faults, _division_faults)
