"""申请: one call takes an application in; a resident sees their own."""

from fastapi import Request, Response

from servicekit.app import create_router
from servicekit.auth import Resident, SignedIn
from servicekit.database import ReadSession, database_of
from servicekit.errors import BadRequest
from servicekit.idempotency import key_of
from servicekit.paging import After, Limit, Page, cut, encode_cursor, id_cursor
from services.requests.reference.endpoints import reference_of
from services.requests.submissions import repository, service
from services.requests.submissions.schemas import Receipt, RequestCreate, RequestRead

router = create_router("requests")


class KeyRequired(BadRequest):
    code, title = "idempotency-key-required", "缺少提交编号，请升级客户端后再试"


@router.post("/requests", status_code=201, response_model=Receipt)
async def submit_request(body: RequestCreate, caller: Resident, request: Request) -> Response:
    """提交申请，全天候受理。

    必须带 `Idempotency-Key`：网络不好时用同一个编号重发，只会收到同一份回执，不会重复收件。
    """
    key = await key_of(request)
    if key is None:
        raise KeyRequired
    intake: service.Intake = request.app.state.intake
    answer = await service.submit(intake, reference_of(request), body=body, caller=caller, key=key)
    database_of(request).nudge_relay()
    return answer


@router.get("/requests")
async def list_own_requests(
    caller: SignedIn, session: ReadSession, after: After = None, limit: Limit = 20
) -> Page[RequestRead]:
    """我的申请，新的在前。"""
    rows = await repository.list_of_applicant(
        session, caller.account_id, after=id_cursor(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    requests = [RequestRead.model_validate(row, from_attributes=True) for row in page]
    return Page(items=requests, next=encode_cursor(requests[-1].id) if more else None)
