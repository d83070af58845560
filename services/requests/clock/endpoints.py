"""工作日历: read by anyone, recorded by the operator."""

from typing import Annotated

from fastapi import Depends, Path, Request

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.errors import Invalid
from servicekit.idempotency import Session
from services.requests.cases.dates import fill_missing_due_dates
from services.requests.clock import service
from services.requests.clock.schemas import CalendarYearRead, CalendarYearWrite

router = create_router("calendar")
Year = Annotated[int, Path(ge=2000, le=2100)]
Operator = Annotated[Caller, Depends(require("operator"))]


class DayOutsideYear(Invalid):
    code, title = "day-outside-year", "有日期不在所录年份内"


@router.get("/calendar/{year}")
async def read_year(year: Year, session: ReadSession) -> CalendarYearRead:
    """一年的节假日与调休安排。"""
    return await service.get_year(session, year)


@router.put("/calendar/{year}")
async def record_year(
    year: Year, body: CalendarYearWrite, _: Operator, session: Session, request: Request
) -> CalendarYearRead:
    """录入或更正全国一年的节假日与调休安排；因缺历未定的承诺日期随即补上。"""
    _ensure_within(year, body)
    recorded = await service.record_year(session, year, body)
    await fill_missing_due_dates(session, request.app.state.settings.office_closes_at)
    return recorded


@router.get("/calendar/{year}/divisions/{division_code}")
async def read_local_year(
    year: Year, division_code: DivisionCode, session: ReadSession
) -> CalendarYearRead:
    """一个区划自己的放假与上班安排；只列与全国不同的日子。"""
    return await service.get_year(session, year, division_code)


@router.put("/calendar/{year}/divisions/{division_code}")
async def record_local_year(
    year: Year,
    division_code: DivisionCode,
    body: CalendarYearWrite,
    caller: Operator,
    session: Session,
) -> CalendarYearRead:
    """录入一个区划与全国不同的日子；下级区划随之适用，`days` 为空即取消。"""
    caller.ensure_covers(division_code)
    _ensure_within(year, body)
    return await service.record_year(session, year, body, division_code)


def _ensure_within(year: int, body: CalendarYearWrite) -> None:
    if any(entry.day.year != year for entry in body.days):
        raise DayOutsideYear
