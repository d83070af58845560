"""考核: schemes as data, cards by month, proposals that people decide upon."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, SignedIn, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.evaluation.access import STATISTICIAN, SUPERVISOR
from services.evaluation.assessments import service
from services.evaluation.assessments.schemas import (
    CardRead,
    Code,
    Decision,
    Made,
    ProposalRead,
    SchemeCreate,
    SchemeRead,
)
from services.evaluation.dependencies import Policy
from services.evaluation.models import ProposalState

router = create_router("assessments")
Assessor = Annotated[Caller, Depends(require(SUPERVISOR, STATISTICIAN))]
Supervisor = Annotated[Caller, Depends(require(SUPERVISOR))]
Month = Annotated[date, Query(description="该月任意一天")]
SubjectId = Annotated[str, Path(max_length=80, pattern=r"^[0-9a-z:-]+$")]


@router.post("/assessment-schemes", status_code=201)
async def define_scheme(body: SchemeCreate, caller: Supervisor, session: Session) -> SchemeRead:
    """制定考核办法；代码已有时成为它的下一版。计截图、视频、表格等留痕材料的指标不被接受。"""
    return await service.define(session, body, caller)


@router.get("/assessment-schemes")
async def list_schemes(
    session: ReadSession,
    division: DivisionCode,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[SchemeRead]:
    """一个区域内的考核办法各版，公开。"""
    return await service.list_schemes(session, division, after=after, limit=limit)


@router.post("/assessments/{code}/actions/make")
async def make_cards(
    code: Code, month: Month, caller: Assessor, session: Session, settings: Policy
) -> Made:
    """重新计算某月的成绩单和排名；已作的决定不变。每月自动计算一次。"""
    return await service.make(session, code, month, caller, settings)


@router.get("/assessments/{code}/cards")
async def list_cards(
    code: Code,
    month: Month,
    caller: Assessor,
    session: ReadSession,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[CardRead]:
    """某月的排名。"""
    return await service.list_cards(session, code, month, caller, after=after, limit=limit)


@router.get("/assessments/{code}/cards/{subject_id}")
async def read_card(
    code: Code, subject_id: SubjectId, month: Month, caller: SignedIn, session: ReadSession
) -> CardRead:
    """一份成绩单：主管人员和被考核的村、单位可以看。"""
    return await service.get_card(session, code, month, subject_id, caller)


@router.get("/assessment-proposals")
async def list_proposals(
    caller: Assessor,
    session: ReadSession,
    division: DivisionCode,
    state: ProposalState | None = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[ProposalRead]:
    """约谈和激励的建议，最新在前。"""
    return await service.list_proposals(session, division, state, caller, after=after, limit=limit)


@router.post("/assessment-proposals/{proposal_id}/actions/decide")
async def decide_proposal(
    proposal_id: UUID,
    body: Decision,
    caller: Supervisor,
    session: Session,
    version: ExpectedVersion,
    response: Response,
) -> ProposalRead:
    """确认或不采纳一条建议，写明理由。"""
    decided = await service.decide(session, proposal_id, body, caller, version=version)
    set_etag(response, decided.version)
    return decided
