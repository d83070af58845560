"""评分: public; the recount is the operator's."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import etag, is_unchanged, set_etag
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.evaluation.models import SubjectKind
from services.evaluation.scores import service
from services.evaluation.scores.schemas import RankedScore, Recount, ScoreDays, ScoreRead

router = create_router("scores")


@router.get("/scores")
async def rank_scores(
    session: ReadSession,
    kind: SubjectKind,
    division: Annotated[DivisionCode | None, Query(description="只排这个区域内的单位")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[RankedScore]:
    """按好评率排名，评价数少的按置信下限折算，最好的在前。"""
    return await service.rank(session, kind, division_code=division, after=after, limit=limit)


@router.post("/scores/recount")
async def recount_scores(
    _: Annotated[Caller, Depends(require("operator"))], session: Session
) -> Recount:
    """由全部评价重新计算评分，更正并列出不一致之处；正常时列表为空。"""
    return await service.recount(session)


@router.get("/scores/{kind}/{subject_id}", response_model=ScoreRead)
async def read_score(
    kind: SubjectKind, subject_id: str, session: ReadSession, request: Request, response: Response
) -> ScoreRead | Response:
    """一个事项或单位的评分；尚无评价时各项为零。"""
    score = await service.get(session, kind, subject_id)
    if is_unchanged(request, etag(score.revision)):
        return Response(status_code=304, headers={"ETag": etag(score.revision)})
    set_etag(response, score.revision)
    return score


@router.get("/scores/{kind}/{subject_id}/days")
async def read_score_days(
    kind: SubjectKind,
    subject_id: str,
    session: ReadSession,
    first: Annotated[date | None, Query(alias="from", description="含当日")] = None,
    last: Annotated[date | None, Query(alias="until", description="含当日")] = None,
) -> ScoreDays:
    """按日的评分，默认最近 30 天；一项服务的评价都记在首次评价当日。"""
    return await service.list_days(session, kind, subject_id, first=first, last=last)
