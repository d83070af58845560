"""预约: slots are read by anyone; booked by residents, checked in by counters, ruled by managers."""

from datetime import datetime, time
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import TypeAdapter, ValidationError

from servicekit.app import create_router
from servicekit.auth import Caller, Resident, SignedIn, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import After, CursorMalformed, Limit, Page, decode_cursor, id_cursor
from services.facilities.bookings import access, reading, rebooking, resources, service, taking
from services.facilities.bookings.schemas import (
    BookingCreate,
    BookingEntry,
    BookingRead,
    BookingVersion,
    Cancellation,
    CounterBooking,
    DaySlots,
    DisplacedBooking,
    Rebooking,
    ResourceCreate,
    ResourceRead,
    ResourceRules,
    Restoration,
)
from services.facilities.hours.schemas import NearDay, NearMoment
from services.facilities.hours.service import local_moment

router = create_router("bookings")
Manager = Annotated[Caller, Depends(require("facility-manager"))]
Staff = Annotated[Caller, Depends(require(*access.STAFF))]
Reader = Annotated[Caller, Depends(require(*access.STAFF, "auditor"))]
OnDay = Annotated[NearDay, Query(description="哪一天")]
_POSITION = TypeAdapter(tuple[NearMoment, UUID])


@router.get("/facilities/{facility_id}/booking-resources")
async def list_resources(facility_id: UUID, session: ReadSession) -> list[ResourceRead]:
    """一处设施里可以预约的窗口和房间，连同规则。"""
    return await resources.list_of_facility(session, facility_id)


@router.post("/facilities/{facility_id}/booking-resources", status_code=201)
async def create_resource(
    facility_id: UUID, body: ResourceCreate, caller: Manager, session: Session, response: Response
) -> ResourceRead:
    """给一个窗口或房间开通预约。"""
    created = await resources.create(session, caller, facility_id, body)
    set_etag(response, created.version)
    return created


@router.get("/booking-resources/{resource_id}")
async def read_resource(
    resource_id: UUID, session: ReadSession, response: Response
) -> ResourceRead:
    """一个可预约的窗口或房间；ETag 是修改时 If-Match 要用的版本。"""
    found = await resources.get(session, resource_id)
    set_etag(response, found.version)
    return found


@router.put("/booking-resources/{resource_id}")
async def change_resource(
    resource_id: UUID,
    body: ResourceRules,
    caller: Manager,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> ResourceRead:
    """修改预约规则；名额增加时，候补的人依次补上。"""
    changed = await service.change_rules(session, caller, resource_id, body, expected=expected)
    set_etag(response, changed.version)
    return changed


@router.get("/booking-resources/{resource_id}/slots")
async def list_slots(resource_id: UUID, day: OnDay, session: ReadSession) -> DaySlots:
    """一天的时段和余量，随当天的开放时间。"""
    return await resources.slots_of_day(session, resource_id, day)


@router.get("/booking-resources/{resource_id}/bookings")
async def list_of_day(
    resource_id: UUID,
    day: OnDay,
    caller: Reader,
    session: ReadSession,
    after: After = None,
    limit: Limit = 50,
) -> Page[CounterBooking]:
    """窗口一天的预约名单：只有预约码，没有姓名。"""
    return await reading.list_of_day(
        session, caller, resource_id, day, after=_position(after), limit=limit
    )


@router.post("/bookings", status_code=201)
async def book(
    body: BookingCreate, caller: Resident, session: Session, response: Response
) -> BookingRead:
    """约一个时段：先占位，在 expires_at 之前确认；约满时可以候补。"""
    booked = await taking.book(session, caller, body)
    set_etag(response, booked.version)
    return booked


@router.post("/bookings/{booking_id}/rebooking", status_code=201)
async def rebook(
    booking_id: UUID, body: Rebooking, caller: Resident, session: Session, response: Response
) -> BookingRead:
    """改约：因场所时间调整失去名额的人，在 rebook_until 之前优先另选时段，直接生效。"""
    booked = await rebooking.rebook(session, caller, booking_id, body)
    set_etag(response, booked.version)
    return booked


@router.post("/bookings/{booking_id}/restoration")
async def restore(
    booking_id: UUID, body: Restoration, caller: Manager, session: Session
) -> BookingEntry:
    """恢复：时间虽有调整，这个预约场所照常办理，并告知本人。"""
    return await rebooking.restore(session, caller, booking_id, body.note)


@router.get("/facilities/{facility_id}/displaced-bookings")
async def list_displaced(
    facility_id: UUID,
    caller: Reader,
    session: ReadSession,
    since: Annotated[NearDay | None, Query(description="哪一天起的预约；不写：今天")] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[DisplacedBooking]:
    """一处设施因时间调整取消的预约，和各自改约的情况；只有预约码，没有姓名。"""
    first = local_moment(datetime.combine(since, time()) if since else None)
    return await rebooking.list_displaced(
        session,
        caller,
        facility_id,
        first.replace(hour=0, minute=0, second=0, microsecond=0),
        after=_position(after),
        limit=limit,
    )


@router.get("/bookings")
async def list_own(
    caller: Resident, session: ReadSession, after: After = None, limit: Limit = 20
) -> Page[BookingRead]:
    """我的预约，最新的在前。"""
    return await reading.list_own(session, caller, before=id_cursor(after), limit=limit)


@router.get("/bookings/{booking_id}")
async def read_booking(booking_id: UUID, caller: SignedIn, session: ReadSession) -> BookingRead:
    """一个预约：本人和场所的工作人员可以看。"""
    return await reading.get(session, caller, booking_id)


@router.get("/bookings/{booking_id}/history")
async def list_history(
    booking_id: UUID, caller: SignedIn, session: ReadSession
) -> list[BookingVersion]:
    """一个预约的经过。"""
    return await reading.list_history(session, caller, booking_id)


@router.post("/bookings/{booking_id}/confirmation")
async def confirm(booking_id: UUID, caller: Resident, session: Session) -> BookingRead:
    """确认占位。"""
    return await service.confirm(session, caller, booking_id)


@router.post("/bookings/{booking_id}/cancellation")
async def cancel(
    booking_id: UUID, body: Cancellation, caller: SignedIn, session: Session
) -> BookingRead:
    """取消预约：本人在规定时间以前；场所取消须写明原因。名额让给候补的人。"""
    return await service.cancel(session, caller, booking_id, body.reason)


@router.post("/bookings/{booking_id}/check-in")
async def check_in(booking_id: UUID, caller: Staff, session: Session) -> BookingEntry:
    """到场签到。"""
    return await service.check_in(session, caller, booking_id)


def _position(after: str | None) -> tuple[datetime, UUID] | None:
    if after is None:
        return None
    try:
        moment, booking_id = _POSITION.validate_python(tuple(decode_cursor(after, 2)))
    except ValidationError:
        raise CursorMalformed from None
    return local_moment(moment), booking_id
