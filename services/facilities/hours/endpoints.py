"""开放时间: asked by anyone; days of their own set by the facility manager."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response
from pydantic import TypeAdapter, ValidationError

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import After, CursorMalformed, Limit, Page, decode_cursor
from services.facilities.facilities.schemas import FacilityRead
from services.facilities.hours import service
from services.facilities.hours.board import OpenBoard
from services.facilities.hours.schemas import (
    ExceptionRead,
    ExceptionWrite,
    NearDay,
    NearMoment,
    OpeningRead,
    OpenNow,
)
from services.facilities.tags import tagged

router = create_router("hours")
#: Goes before the facilities: its path would be taken for an identifier.
board_router = create_router("hours")
#: A change of hours is seen after this at the latest, whoever caches.
MOST_CACHED_SECONDS = 60
_DAY = TypeAdapter(NearDay)
Manager = Annotated[Caller, Depends(require("facility-manager"))]
Day = Annotated[NearDay, Path(description="日期", examples=["2026-10-01"])]


@board_router.get("/facilities/open-now", response_model=OpenNow)
async def list_open_now(
    request: Request,
    session: ReadSession,
    within: Annotated[DivisionCode, Query(description="县、乡镇或村的区划代码")],
) -> Response:
    """一个县（市、区）或其下此刻开放的全部设施，精确到分钟。"""
    board: OpenBoard = request.app.state.open_board
    answer = await board.read(session, within)
    left = int((answer.until - service.local_moment(None)).total_seconds())
    return tagged(request, answer, max_age_seconds=max(0, min(left, MOST_CACHED_SECONDS)))


@router.get("/facilities/{facility_id}/opening")
async def read_opening(
    facility_id: UUID,
    session: ReadSession,
    at: Annotated[
        NearMoment | None, Query(description="所问的时刻；不写就是现在，不带时区按北京时间")
    ] = None,
) -> OpeningRead:
    """此刻或某个时刻是否开放，下一次开门或关门在什么时候。"""
    return await service.opening(session, facility_id, at)


@router.get("/facilities/{facility_id}/hours-exceptions")
async def list_exceptions(
    facility_id: UUID, session: ReadSession, after: After = None, limit: Limit = 20
) -> Page[ExceptionRead]:
    """从今天起的特殊安排，按日期排列。"""
    return await service.list_exceptions(session, facility_id, after=_last(after), limit=limit)


@router.put("/facilities/{facility_id}/hours-exceptions/{day}")
async def set_exception(
    facility_id: UUID,
    day: Day,
    body: ExceptionWrite,
    caller: Manager,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> FacilityRead:
    """给某一天另定开放时间；不写时段就是当天不开放。返回设施的新版本。"""
    facility = await service.set_exception(
        session, caller, facility_id, day, body, expected=expected
    )
    set_etag(response, facility.version)
    return facility


@router.delete("/facilities/{facility_id}/hours-exceptions/{day}")
async def remove_exception(
    facility_id: UUID,
    day: Day,
    caller: Manager,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> FacilityRead:
    """取消某一天的特殊安排。返回设施的新版本。"""
    facility = await service.remove_exception(session, caller, facility_id, day, expected=expected)
    set_etag(response, facility.version)
    return facility


def _last(after: str | None) -> date | None:
    if after is None:
        return None
    try:
        return _DAY.validate_python(decode_cursor(after, 1)[0])
    except ValidationError:
        raise CursorMalformed from None
