"""短板清单: for those who plan, within their own division."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.paging import After, CursorMalformed, Limit, decode_cursor
from servicekit.sheets import SheetFormat, download_headers, write_xlsx
from services.facilities.gaps import service
from services.facilities.gaps.schemas import GapList

router = create_router("gaps")
Planner = Annotated[
    Caller,
    Depends(
        require("statistician", "facility-manager", "township-officer", "supervisor", "auditor")
    ),
]
Within = Annotated[DivisionCode, Query(description="市、县、乡镇或村（社区）的区划代码")]
HEADER = (
    "次序",
    "区划代码",
    "名称",
    "常住人口",
    "居民找过的次数",
    "短板",
    "还差",
    "单位",
    "最省的办法",
    "难度",
)


@router.get("/gaps")
async def list_gaps(
    within: Within, caller: Planner, session: ReadSession, after: After = None, limit: Limit = 20
) -> GapList:
    """各村（社区）缺什么、最省的补法；按居民找过的次数、短板多少、人口排列。"""
    caller.ensure_covers(within)
    return await service.list_gaps(session, within, after=_rank(after), limit=limit)


@router.get("/gaps/table.xlsx", response_class=StreamingResponse)
async def download_gaps(within: Within, caller: Planner, session: ReadSession) -> StreamingResponse:
    """同一份清单，存成电子表格：一条短板一行。"""
    caller.ensure_covers(within)
    found = await service.list_gaps(session, within, after=0, limit=None)
    return StreamingResponse(
        write_xlsx(HEADER, _lines(found), title="短板清单"),
        media_type=SheetFormat.xlsx.media_type,
        headers=download_headers(f"短板清单-{within}.xlsx"),
    )


def _lines(found: GapList) -> Iterator[list[object]]:
    for village in found.items:
        for gap in village.gaps:
            yield [
                village.rank, village.division_code, village.name, village.residents,
                village.asked_for, gap.words, gap.short_by, gap.unit, gap.way.words, gap.way.effort,
            ]  # fmt: skip


def _rank(after: str | None) -> int:
    if after is None:
        return 0
    (number,) = decode_cursor(after, 1)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 10**7:
        raise CursorMalformed
    return number
