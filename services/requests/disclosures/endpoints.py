"""查看个人信息留痕: staff see data in full with a reason; residents see who did."""

from uuid import UUID

from fastapi import Request

from servicekit.app import create_router
from servicekit.auth import SignedIn
from servicekit.database import ReadSession
from servicekit.idempotency import UnkeyedSession
from servicekit.paging import After, Limit, Page, cut, encode_cursor, id_cursor
from services.requests.disclosures import service
from services.requests.disclosures.schemas import AccessRead, Disclosure, DisclosureCreate

router = create_router("disclosures")


@router.post("/cases/{case_id}/disclosures")
async def disclose(
    case_id: UUID,
    body: DisclosureCreate,
    caller: SignedIn,
    session: UnkeyedSession,
    request: Request,
) -> Disclosure:
    """查看申请人的完整信息和表单内容；须说明理由，本人可以查到这次查看。"""
    return await service.disclose(
        session, request.app.state.cipher, case_id=case_id, caller=caller, reason=body.reason
    )


@router.get("/data-accesses")
async def list_accesses(
    caller: SignedIn, session: ReadSession, after: After = None, limit: Limit = 20
) -> Page[AccessRead]:
    """谁看过我的信息。"""
    rows = await service.list_accesses(session, caller, after=id_cursor(after), limit=limit + 1)
    page, more = cut(list(rows), limit)
    accesses = [AccessRead.model_validate(row, from_attributes=True) for row in page]
    return Page(items=accesses, next=encode_cursor(accesses[-1].id) if more else None)
