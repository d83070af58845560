"""办件: one case, and the work lists."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from servicekit.app import create_router
from servicekit.auth import Caller, SignedIn, WrongUnit, require
from servicekit.database import ReadSession
from servicekit.etags import set_etag
from servicekit.paging import After, CursorMalformed, Limit, Page, cut, decode_cursor, encode_cursor
from services.requests.cases import repository, service
from services.requests.cases.schemas import CaseRead, CaseSummary
from services.requests.models import CaseState

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
