"""办件: one case, and the work lists."""

from datetime import datetime
from uuid import UUID

from fastapi import Request, Response

from servicekit.app import create_router
from servicekit.auth import SignedIn
from servicekit.database import ReadSession
from servicekit.etags import set_etag
from services.requests.cases import service
from services.requests.cases.progress import CaseClock, get_clock
from services.requests.cases.schemas import CaseRead
from services.requests.clock.rules import LOCAL
from services.requests.reference.endpoints import reference_of

router = create_router("cases")


@router.get("/cases/{case_id}")
async def read_case(
    case_id: UUID, caller: SignedIn, session: ReadSession, request: Request, response: Response
) -> CaseRead:
    """办件详情；ETag 是版本号，处理时以 If-Match 带回。"""
    case = await service.get_case(session, request.app.state.cipher, case_id=case_id, caller=caller)
    set_etag(response, case.version)
    return case


@router.get("/cases/{case_id}/clock")
async def read_clock(
    case_id: UUID, caller: SignedIn, session: ReadSession, request: Request
) -> CaseClock:
    """办件的时限：承诺哪一天办结，为什么停了，通常要多久。"""
    today = datetime.now(LOCAL).date()
    reference = reference_of(request)
    return await get_clock(session, reference, case_id=case_id, today=today, caller=caller)
