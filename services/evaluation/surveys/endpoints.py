"""满意度调查: planned by statisticians, collected by link, visit and telephone, read by everybody."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.evaluation.access import STATISTICIAN, SUPERVISOR
from services.evaluation.dependencies import DataCipher, Policy
from services.evaluation.surveys import collecting, reading, service
from services.evaluation.surveys.questions import Code
from services.evaluation.surveys.schemas import (
    CollectedAnswer,
    Coverage,
    Draw,
    LinkAnswer,
    NonResponse,
    QuestionnaireCreate,
    QuestionnaireRead,
    Receipt,
    Results,
    SampleRead,
    SurveyCreate,
    SurveyForm,
    SurveyRead,
    YearCoverage,
)

router = create_router("surveys")
Planner = Annotated[Caller, Depends(require(STATISTICIAN, SUPERVISOR))]
#: Not the village's own agents: nobody asks about themselves.
Surveyor = Annotated[Caller, Depends(require(STATISTICIAN, "township-officer"))]
Year = Annotated[int, Query(ge=2000, le=2200)]
Token = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.post("/questionnaires", status_code=201)
async def create_questionnaire(
    body: QuestionnaireCreate, caller: Planner, session: Session
) -> QuestionnaireRead:
    """新建问卷；代码已有时成为它的下一版，旧版不变。"""
    return await service.create_questionnaire(session, body, caller)


@router.get("/questionnaires")
async def list_questionnaires(
    _: Planner,
    session: ReadSession,
    code: Code | None = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[QuestionnaireRead]:
    """问卷各版，最新在前。"""
    return await service.list_questionnaires(session, code, after=after, limit=limit)


@router.post("/surveys", status_code=201)
async def create_survey(body: SurveyCreate, caller: Planner, session: Session) -> SurveyRead:
    """制定某年某区域的调查计划。"""
    return await service.create_survey(session, body, caller)


@router.get("/surveys")
async def list_surveys(
    session: ReadSession,
    division: DivisionCode,
    year: Year | None = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[SurveyRead]:
    """一个区域内的调查，最新在前。"""
    return await service.list_surveys(session, division, year, after=after, limit=limit)


@router.get("/surveys/{survey_id}")
async def read_survey(survey_id: UUID, session: ReadSession, response: Response) -> SurveyRead:
    """一项调查。"""
    survey = await service.get(session, survey_id)
    set_etag(response, survey.version)
    return survey


@router.post("/surveys/{survey_id}/actions/draw")
async def draw_sample(
    survey_id: UUID,
    body: Draw,
    caller: Planner,
    session: Session,
    version: ExpectedVersion,
    response: Response,
) -> SurveyRead:
    """按村分层抽样并开始调查；种子记录在案，凭它可以重抽核对。"""
    survey = await service.draw_sample(session, survey_id, caller, seed=body.seed, version=version)
    set_etag(response, survey.version)
    return survey


@router.post("/surveys/{survey_id}/actions/close")
async def close_survey(
    survey_id: UUID,
    caller: Planner,
    session: Session,
    version: ExpectedVersion,
    response: Response,
) -> SurveyRead:
    """结束调查，结果公开。"""
    survey = await service.close(session, survey_id, caller, version=version)
    set_etag(response, survey.version)
    return survey


@router.get("/surveys/{survey_id}/samples")
async def list_samples(
    survey_id: UUID,
    caller: Surveyor,
    session: ReadSession,
    cipher: DataCipher,
    division: Annotated[DivisionCode, Query(description="哪个村（社区）")],
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[SampleRead]:
    """一个村抽中的户，及交给各户的一次性答题凭证。"""
    return await collecting.list_samples(
        session, survey_id, caller, cipher, division_code=division, after=after, limit=limit
    )


@router.post("/surveys/{survey_id}/answers", status_code=201)
async def collect_answer(
    survey_id: UUID, body: CollectedAnswer, caller: Surveyor, session: Session
) -> Receipt:
    """入户或电话调查得到的回答；回答不与户相连。"""
    return await collecting.answer_for(session, survey_id, body, caller)


@router.post("/surveys/{survey_id}/non-responses", status_code=201)
async def note_non_response(
    survey_id: UUID, body: NonResponse, caller: Surveyor, session: Session
) -> Receipt:
    """记录拒访或未遇；未遇的户以后仍可作答。"""
    return await collecting.note_non_response(session, survey_id, body, caller)


@router.get("/surveys/{survey_id}/coverage")
async def read_coverage(
    survey_id: UUID,
    caller: Annotated[Caller, Depends(require(STATISTICIAN, SUPERVISOR, "township-officer"))],
    session: ReadSession,
    division: DivisionCode | None = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Coverage:
    """各村的进度：抽中、已答、拒访、未遇，应答率和覆盖率。"""
    return await reading.coverage(
        session, survey_id, caller, within=division, after=after, limit=limit
    )


@router.get("/surveys/{survey_id}/results")
async def read_results(
    survey_id: UUID,
    session: ReadSession,
    settings: Policy,
    division: Annotated[DivisionCode | None, Query(description="看哪个区域，默认全部")] = None,
) -> Results:
    """调查结束后的结果及 95% 置信区间，逐级可看下一级；应答少的不显示，也不能由合计推出。"""
    return await reading.results(session, survey_id, division_code=division, settings=settings)


@router.get("/survey-coverage")
async def read_year_coverage(
    caller: Annotated[Caller, Depends(require(STATISTICIAN, SUPERVISOR, "township-officer"))],
    session: ReadSession,
    division: DivisionCode,
    year: Year,
) -> YearCoverage:
    """当年还没有任何调查覆盖到的村（社区）：每村都要调查到。"""
    return await reading.year_coverage(session, division, year, caller)


@router.get("/survey-forms/{token}")
async def read_survey_form(token: Token, session: ReadSession, cipher: DataCipher) -> SurveyForm:
    """答题链接打开的问卷，不需登录。"""
    return await collecting.form_of(session, token, cipher)


@router.post("/survey-forms/{token}/answers", status_code=201)
async def answer_survey(
    token: Token, body: LinkAnswer, session: Session, cipher: DataCipher
) -> Receipt:
    """凭一次性链接作答，不需登录，不记录是谁。"""
    return await collecting.answer_by_link(session, token, body.answers, cipher)
