"""指标: read by anyone; what-if for those who plan."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter, ValidationError

from contracts.values import DivisionCode, DivisionLevel
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.paging import After, CursorMalformed, Limit, decode_cursor
from servicekit.sheets import SheetFormat, download_headers, write_xlsx
from services.facilities.indicators import definitions, history, planning, service, sheets
from services.facilities.indicators.schemas import (
    Chart,
    DefinitionRead,
    DivisionValues,
    History,
    IndicatorCode,
    IndicatorTable,
    WhatIf,
    WhatIfAnswer,
)
from services.facilities.tags import tagged

router = create_router("indicators")
Planner = Annotated[Caller, Depends(require("statistician", "facility-manager", "auditor"))]
_CODE: TypeAdapter[str] = TypeAdapter(DivisionCode)
Code = Annotated[IndicatorCode, Path(description="指标代码")]
Division = Annotated[DivisionCode, Query(description="区划代码")]
Within = Annotated[DivisionCode | None, Query(description="只看这个区划之内的；不写是全国")]
Level = Annotated[DivisionLevel, Query(description="按哪一级区划列表")]


@router.get("/indicators")
async def list_definitions(session: ReadSession) -> list[DefinitionRead]:
    """指标的定义：公式、单位、属性、各地各年的基期值和目标值、出处。"""
    return await definitions.list_spelled_out(session)


@router.get("/indicators/values", response_model=DivisionValues)
async def read_values(
    request: Request,
    session: ReadSession,
    division: Annotated[DivisionCode | None, Query(description="区划代码；不写是全国")] = None,
) -> Response:
    """一个区划现在的全部指标：分子、分母、缺数据的村（社区）数，对照基期值和目标值。"""
    return tagged(request, await service.values_of(session, division))


@router.get("/indicators/table", response_model=IndicatorTable)
async def read_table(
    request: Request,
    session: ReadSession,
    within: Within = None,
    level: Level = DivisionLevel.province,
    indicator: Annotated[IndicatorCode | None, Query(description="只看这个指标")] = None,
    after: After = None,
    limit: Limit = 50,
) -> Response:
    """下级各区划的指标，第一页带合计；逐级往下看，直到村（社区）。"""
    found = await service.table(
        session,
        within=within,
        level=level,
        indicator=indicator,
        after=_last(after),
        limit=limit,
    )
    return tagged(request, found)


@router.get("/indicators/table.xlsx", response_class=StreamingResponse)
async def download_table(
    session: ReadSession, within: Within = None, level: Level = DivisionLevel.county
) -> StreamingResponse:
    """同一张表，存成电子表格。"""
    found = await service.whole_table(session, within=within, level=level)
    shown = [one.definition for one in await service.all_counted(session)]
    return StreamingResponse(
        write_xlsx(sheets.header(shown), sheets.lines(found, shown), title="指标"),
        media_type=SheetFormat.xlsx.media_type,
        headers=download_headers(f"指标-{within or '全国'}.xlsx"),
    )


@router.get("/indicators/{code}/history")
async def read_history(
    code: Code,
    session: ReadSession,
    division: Division,
    months: Annotated[int, Query(ge=1, le=120, description="最近几个月")] = 24,
) -> History:
    """一个指标逐月的值，附折线图数据。"""
    return await history.history_of(session, code, division, months=months)


@router.get("/indicators/{code}/chart")
async def read_chart(
    code: Code,
    session: ReadSession,
    within: Within = None,
    level: Level = DivisionLevel.province,
    limit: Limit = 50,
) -> Chart:
    """一个指标在下级各区划之间的对比，柱状图数据。"""
    one = await service.find_definition(session, code)
    found = await service.table(
        session, within=within, level=level, indicator=code, after=None, limit=limit
    )
    assert found.total is not None
    return history.chart_of(
        one,
        within,
        kind="bar",
        title=f"{found.total.name}{one.definition.name}",
        points=[(row.name, row.cells[code].value) for row in found.items],
    )


@router.post("/indicators/what-if")
async def ask_what_if(body: WhatIf, caller: Planner, session: ReadSession) -> WhatIfAnswer:
    """假如在一个村（社区）增加这些设施，哪些指标会变；只是测算，不写入。"""
    caller.ensure_covers(body.division_code)
    return await planning.what_if(session, body)


def _last(after: str | None) -> str | None:
    if after is None:
        return None
    try:
        return _CODE.validate_python(decode_cursor(after, 1)[0])
    except ValidationError:
        raise CursorMalformed from None
