"""办件: one case, the work lists, and the steps of a case."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from servicekit.app import create_router
from servicekit.auth import Caller, SignedIn, WrongUnit, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import After, CursorMalformed, Limit, Page, cut, decode_cursor, encode_cursor
from services.requests.cases import repository, service
from services.requests.cases.rules import Action
from services.requests.cases.schemas import (
    Accept,
    ActionBody,
    AnswerCorrection,
    CaseRead,
    CaseSummary,
    CaseVersion,
    Complete,
    Decide,
    Dispatch,
    Refuse,
    RequestCorrection,
    Withdraw,
)
from services.requests.models import CaseState
from services.requests.reference.endpoints import reference_of

router = create_router("cases")
Worker = Annotated[
    Caller, Depends(require("window-clerk", "handler", "supervisor", "village-agent", "auditor"))
]


@router.get("/cases/{case_id}")
async def read_case(
    case_id: UUID, caller: SignedIn, session: ReadSession, request: Request, response: Response
) -> CaseRead:
    """办件详情；ETag 是版本号，处理时以 If-Match 带回。"""
    case = await service.get_case(session, request.app.state.cipher, case_id=case_id, caller=caller)
    set_etag(response, case.version)
    return case


@router.get("/cases")
async def list_cases(
    caller: Worker,
    session: ReadSession,
    state: Annotated[CaseState | None, Query(description="只看这个状态")] = None,
    after: After = None,
    limit: Limit = 20,
) -> Page[CaseSummary]:
    """工作清单：承办人看本单位的，窗口和督办看本区域的，按承诺办结日排列。"""
    cursor = _cursor(after)
    if caller.has("window-clerk", "supervisor", "auditor", "village-agent") and caller.division:
        rows = await repository.list_open_within(
            session, caller.division, state=state, after=cursor, limit=limit + 1
        )
    elif caller.unit:
        rows = await repository.list_open_of_unit(
            session, caller.unit, state=state, after=cursor, limit=limit + 1
        )
    else:
        raise WrongUnit
    page, more = cut(list(rows), limit)
    cases = [CaseSummary.model_validate(row, from_attributes=True) for row in page]
    last = cases[-1] if more else None
    return Page(items=cases, next=encode_cursor(last.due_on, last.id) if last else None)


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody about to act on a case they have read."""

    case_id: UUID
    expected: ExpectedVersion
    caller: SignedIn
    session: Session
    request: Request
    response: Response

    async def take(self, action: Action, body: ActionBody) -> CaseVersion:
        """Take the step and tell the new version."""
        state = self.request.app.state
        version = await service.act(
            self.session,
            reference_of(self.request),
            state.settings,
            state.cipher,
            case_id=self.case_id,
            expected_version=self.expected,
            caller=self.caller,
            action=action,
            body=body,
        )
        set_etag(self.response, version)
        return CaseVersion(version=version)


Acting = Annotated[Step, Depends()]


@router.post("/cases/{case_id}/actions/dispatch")
async def dispatch(body: Dispatch, step: Acting) -> CaseVersion:
    """人工派单：督办人员把办件派给一个单位。"""
    return await step.take(Action.dispatch, body)


@router.post("/cases/{case_id}/actions/request-correction")
async def request_correction(body: RequestCorrection, step: Acting) -> CaseVersion:
    """补正告知：一次告知全部需要补正的内容，一个办件只有一次。"""
    return await step.take(Action.request_correction, body)


@router.post("/cases/{case_id}/actions/answer-correction")
async def answer_correction(body: AnswerCorrection, step: Acting) -> CaseVersion:
    """补正：申请人按告知补齐材料。"""
    return await step.take(Action.answer_correction, body)


@router.post("/cases/{case_id}/actions/accept")
async def accept(body: Accept, step: Acting) -> CaseVersion:
    """受理：承诺办结时限从这一天的次日起计算。"""
    return await step.take(Action.accept, body)


@router.post("/cases/{case_id}/actions/refuse")
async def refuse(body: Refuse, step: Acting) -> CaseVersion:
    """不予受理：说明理由，并告知应向哪个机关申请。"""
    return await step.take(Action.refuse, body)


@router.post("/cases/{case_id}/actions/decide")
async def decide(body: Decide, step: Acting) -> CaseVersion:
    """决定：由办理单位的承办人作出。"""
    return await step.take(Action.decide, body)


@router.post("/cases/{case_id}/actions/complete")
async def complete(body: Complete, step: Acting) -> CaseVersion:
    """办结：随后申请人可以评价。"""
    return await step.take(Action.complete, body)


@router.post("/cases/{case_id}/actions/withdraw")
async def withdraw(body: Withdraw, step: Acting) -> CaseVersion:
    """撤回：申请人在决定之前可以撤回。"""
    return await step.take(Action.withdraw, body)


def _cursor(after: str | None) -> tuple[date | None, UUID] | None:
    if after is None:
        return None
    due_on, case_id = decode_cursor(after, 2)
    try:
        return _date(due_on), UUID(case_id)
    except (TypeError, ValueError, AttributeError):
        raise CursorMalformed from None


def _date(value: Any) -> date | None:
    return None if value is None else date.fromisoformat(value)
