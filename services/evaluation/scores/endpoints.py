"""评分: items, units and channels are public; the recount is the operator's."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from contracts.values import DivisionCode, DivisionLevel
from servicekit.app import create_router
from servicekit.auth import Caller, MaybeCaller, require
from servicekit.database import ReadSession, database_of
from servicekit.etags import etag, is_unchanged, set_etag
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from servicekit.sheets import SheetFormat, download_headers
from services.evaluation.access import STATISTICIAN, SUPERVISOR
from services.evaluation.dependencies import Policy
from services.evaluation.models import SubjectKind
from services.evaluation.scores import exports, publishing, recounts, service
from services.evaluation.scores.publishing import TableCreate, TableRead
from services.evaluation.scores.recounts import Difference, RecountRead
from services.evaluation.scores.repository import Period
from services.evaluation.scores.rules import Grain
from services.evaluation.scores.schemas import (
    RankedScore,
    ScoreDays,
    ScoreRead,
    ScoreSeries,
    Standing,
)

router = create_router("scores")
Operator = Annotated[Caller, Depends(require("operator"))]
First = Annotated[date | None, Query(alias="from", description="含当日")]
Last = Annotated[date | None, Query(alias="until", description="含当日")]


async def _period(
    grain: Annotated[Grain, Query(description="按月、按年或全部")] = Grain.all,
    day: Annotated[date | None, Query(description="该月或该年的任意一天")] = None,
) -> Period:
    if (day is None) != (grain is Grain.all) or grain is Grain.day:
        raise service.PeriodInvalid
    return Period(grain, grain.first_day(day) if day else None)


AskedPeriod = Annotated[Period, Depends(_period)]


@router.get("/scores")
async def rank_scores(
    session: ReadSession,
    caller: MaybeCaller,
    kind: SubjectKind,
    period: AskedPeriod,
    division: Annotated[DivisionCode | None, Query(description="只排这个区域内的")] = None,
    level: Annotated[DivisionLevel | None, Query(description="区划排名的级别")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[RankedScore]:
    """按好评率排名，评价数少的按置信下限折算，最好的在前。"""
    return await service.rank(
        session,
        kind,
        caller,
        division_code=division,
        level=level,
        period=period,
        after=after,
        limit=limit,
    )


@router.get("/score-exports", response_class=StreamingResponse)
async def export_scores(
    request: Request,
    caller: Annotated[Caller, Depends(require(SUPERVISOR, STATISTICIAN))],
    kind: SubjectKind,
    division: DivisionCode,
    grain: Annotated[Grain, Query(description="按日、按月或按年")] = Grain.month,
    level: DivisionLevel | None = None,
    first: First = None,
    last: Last = None,
    format: Literal["csv", "xlsx"] = "csv",
) -> StreamingResponse:
    """本区域各对象的评分，存成表格；只有计数，不含任何人的评价内容。"""
    chosen = service.selection(
        kind, caller, division_code=division, level=level, grain=grain, first=first, last=last
    )
    sheet_format = SheetFormat(format)
    return StreamingResponse(
        exports.export(database_of(request), sheet_format, chosen),
        media_type=sheet_format.media_type,
        headers=download_headers(f"评分-{division}-{kind}.{format}"),
    )


@router.post("/score-tables", status_code=201)
async def publish_table(
    body: TableCreate,
    caller: Annotated[Caller, Depends(require(SUPERVISOR))],
    session: Session,
    settings: Policy,
) -> TableRead:
    """公开一个县某月或某年的评价结果；评价少的村不显示，也不能由合计或差额推出。"""
    return await publishing.publish(session, body, caller, settings)


@router.get("/score-tables")
async def list_tables(
    session: ReadSession,
    division: DivisionCode | None = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[TableRead]:
    """已公开的评价结果，最新在前。"""
    return await publishing.list_tables(session, division, after=after, limit=limit)


@router.get("/score-tables/{table_id}")
async def read_table(table_id: UUID, session: ReadSession) -> TableRead:
    """一张公开表。"""
    return await publishing.get_table(session, table_id)


@router.post("/scores/recount", status_code=202)
async def recount_scores(caller: Operator, session: Session, response: Response) -> RecountRead:
    """由全部评价重新计算评分，更正不一致之处；由后台分批完成，期间不影响评价，进展按编号查询。"""
    recount = await recounts.ask(session, caller.account_id)
    response.headers["Location"] = f"/v1/score-recounts/{recount.id}"
    return recount


@router.get("/score-recounts")
async def list_recounts(
    _: Operator, session: ReadSession, after: After = None, limit: Limit = DEFAULT_LIMIT
) -> Page[RecountRead]:
    """历次重新计算，最新在前。"""
    return await recounts.list_recounts(session, after=after, limit=limit)


@router.get("/score-recounts/{recount_id}")
async def read_recount(recount_id: UUID, _: Operator, session: ReadSession) -> RecountRead:
    """一次重新计算走到了哪里、更正了多少。"""
    return await recounts.get(session, recount_id)


@router.get("/score-recounts/{recount_id}/differences")
async def list_recount_differences(
    recount_id: UUID,
    _: Operator,
    session: ReadSession,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[Difference]:
    """被更正的对象；正常时为空。"""
    return await recounts.list_differences(session, recount_id, after=after, limit=limit)


@router.get("/scores/{kind}/{subject_id}", response_model=ScoreRead)
async def read_score(
    kind: SubjectKind,
    subject_id: str,
    caller: MaybeCaller,
    session: ReadSession,
    request: Request,
    response: Response,
) -> ScoreRead | Response:
    """一个事项、单位、窗口、人员、设施、区划或渠道的评分；尚无评价时各项为零。"""
    score = await service.get(session, kind, subject_id, caller)
    if is_unchanged(request, etag(score.revision)):
        return Response(status_code=304, headers={"ETag": etag(score.revision)})
    set_etag(response, score.revision)
    return score


@router.get("/scores/{kind}/{subject_id}/days")
async def read_score_days(
    kind: SubjectKind,
    subject_id: str,
    caller: MaybeCaller,
    session: ReadSession,
    first: First = None,
    last: Last = None,
) -> ScoreDays:
    """按日的评分，默认最近 30 天；一项服务的评价都记在首次评价当日。"""
    return await service.list_days(session, kind, subject_id, caller, first=first, last=last)


@router.get("/scores/{kind}/{subject_id}/series")
async def read_score_series(
    kind: SubjectKind,
    subject_id: str,
    caller: MaybeCaller,
    session: ReadSession,
    grain: Grain = Grain.month,
    first: First = None,
    last: Last = None,
) -> ScoreSeries:
    """按日、月、年的评分走势。"""
    return await service.list_series(
        session, kind, subject_id, caller, grain=grain, first=first, last=last
    )


@router.get("/scores/{kind}/{subject_id}/standing")
async def read_standing(
    kind: SubjectKind,
    subject_id: str,
    caller: MaybeCaller,
    session: ReadSession,
    period: AskedPeriod,
    within: Annotated[DivisionCode | None, Query(description="只与这个区域内的同类比")] = None,
) -> Standing:
    """在同类对象中的位次（百分位），按好评率置信下限比较。"""
    return await service.stand(session, kind, subject_id, caller, within=within, period=period)
