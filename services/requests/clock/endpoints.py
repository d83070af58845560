"""工作日历: read by anyone, recorded by the operator."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, SignedIn, require
from servicekit.database import ReadSession
from servicekit.errors import Invalid
from servicekit.idempotency import Session
from services.requests.clock import service
from services.requests.clock.schemas import CalendarYearRead, CalendarYearWrite, ClockPolicyBody
from services.requests.clock.sheets import FORMATS, read_calendar
from services.requests.reference.endpoints import reference_of

router = create_router("calendar")
Year = Annotated[int, Path(ge=2000, le=2100)]
PolicyMaker = Annotated[Caller, Depends(require("supervisor", "operator"))]
Operator = Annotated[Caller, Depends(require("operator"))]


class DayOutsideYear(Invalid):
    code, title = "day-outside-year", "有日期不在所录年份内"


@router.get("/calendar/{year}")
async def read_year(year: Year, session: ReadSession) -> CalendarYearRead:
    """一年的节假日与调休安排。"""
    return await service.get_year(session, year)


@router.put("/calendar/{year}")
async def record_year(
    year: Year, body: CalendarYearWrite, _: Operator, session: Session
) -> CalendarYearRead:
    """录入或更正全国一年的节假日与调休安排；在办件的承诺日期随后按新的安排更新，并告知申请人。"""
    _ensure_within(year, body)
    return await service.record_year(session, year, body)


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


@router.post("/calendar/{year}/sheets")
async def import_year(
    year: Year,
    caller: Operator,
    session: Session,
    request: Request,
    source: Annotated[str, Query(min_length=4, max_length=200, description="依据")],
    division_code: Annotated[DivisionCode | None, Query(description="不填为全国")] = None,
    provisional: Annotated[bool, Query(description="预计，尚未公布")] = False,
) -> CalendarYearRead:
    """用 CSV 或 XLSX 表格录入一年：日期、是否上班、名称三列，一行一个与平常不同的日子。"""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    content = await request.body()
    body = read_calendar(content, FORMATS[content_type], source=source, provisional=provisional)
    _ensure_within(year, body)
    if division_code is not None:
        caller.ensure_covers(division_code)
    return await service.record_year(session, year, body, division_code)


@router.get("/clock-policies/{division_code}")
async def read_policy(
    division_code: DivisionCode, _: SignedIn, request: Request
) -> ClockPolicyBody:
    """一个区划适用的亮灯和督办期限。"""
    policy = reference_of(request).policies.of(division_code)
    return ClockPolicyBody(yellow_days=policy.yellow_days, reply_days=list(policy.reply_days))


@router.put("/clock-policies/{division_code}")
async def record_policy(
    division_code: DivisionCode, body: ClockPolicyBody, caller: PolicyMaker, session: Session
) -> ClockPolicyBody:
    """设定一个区划及其下级的亮灯和督办期限；之后受理的办件适用。"""
    caller.ensure_covers(division_code)
    await service.record_policy(session, division_code, body)
    return body


def _ensure_within(year: int, body: CalendarYearWrite) -> None:
    if any(entry.day.year != year for entry in body.days):
        raise DayOutsideYear
