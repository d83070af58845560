"""申请: one call takes an application in; people see those they speak for; anyone looks up by code."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from servicekit.app import create_router
from servicekit.auth import Caller, SignedIn, require
from servicekit.database import ReadSession, database_of
from servicekit.errors import BadRequest
from servicekit.idempotency import key_of
from servicekit.paging import After, Limit, Page, cut, encode_cursor, id_cursor
from services.requests.reference.endpoints import reference_of
from services.requests.submissions import lookups, reading, receipts, repository, service
from services.requests.submissions.schemas import (
    Duplicates,
    DuplicatesQuery,
    LookupBody,
    Progress,
    Receipt,
    RequestCreate,
    RequestDetail,
    RequestRead,
)

router = create_router("requests")
Submitter = Annotated[Caller, Depends(require("resident", "window-clerk", "village-agent"))]


class KeyRequired(BadRequest):
    code, title = "idempotency-key-required", "缺少提交编号，请升级客户端后再试"


@router.post("/requests", status_code=201, response_model=Receipt)
async def submit_request(body: RequestCreate, caller: Submitter, request: Request) -> Response:
    """提交申请，全天候受理；可以代人申请，窗口和帮办员也可以替到场的人提交。

    必须带 `Idempotency-Key`：网络不好时用同一个编号重发，只会收到同一份回执，不会重复收件。
    """
    key = await key_of(request)
    if key is None:
        raise KeyRequired
    intake: service.Intake = request.app.state.intake
    answer = await service.submit(intake, reference_of(request), body=body, caller=caller, key=key)
    database_of(request).nudge_relay()
    return answer


@router.post("/requests/duplicates")
async def hint_at_duplicates(
    body: DuplicatesQuery, caller: Submitter, session: ReadSession, request: Request
) -> Duplicates:
    """提交之前看看近期有没有同样的申请；只提醒，不阻止提交。"""
    return await reading.hint_at_duplicates(session, request.app.state.cipher, body, caller)


@router.post("/lookups")
async def look_up(body: LookupBody, session: ReadSession, request: Request) -> Progress:
    """凭申请编号和查询码查进度，不用登录，不显示个人信息。"""
    return await lookups.look_up(session, request.app.state.cipher, body)


@router.get("/requests")
async def list_own_requests(
    caller: SignedIn, session: ReadSession, after: After = None, limit: Limit = 20
) -> Page[RequestRead]:
    """我的申请，新的在前；包括我代理的。"""
    rows = await repository.list_of_account(
        session, caller.account_id, after=id_cursor(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    requests = [RequestRead.model_validate(row, from_attributes=True) for row in page]
    return Page(items=requests, next=encode_cursor(requests[-1].id) if more else None)


@router.get("/requests/{request_id}")
async def read_request(
    request_id: UUID, caller: SignedIn, session: ReadSession, request: Request
) -> RequestDetail:
    """一次申请的全部情况；工作人员看到的个人信息是遮盖的。"""
    cipher = request.app.state.cipher
    return await reading.get_request(session, cipher, request_id=request_id, caller=caller)


@router.get("/requests/{request_id}/receipt.pdf", response_class=Response)
async def print_receipt(
    request_id: UUID, caller: SignedIn, session: ReadSession, request: Request
) -> Response:
    """收件回执和材料接收单（PDF），可以打印；工作人员看到的个人信息是遮盖的。"""
    document = await receipts.receipt_document(
        session,
        request.app.state.cipher,
        reference_of(request),
        request_id=request_id,
        caller=caller,
    )
    headers = {"Content-Disposition": 'inline; filename="receipt.pdf"', "Cache-Control": "no-store"}
    return Response(await document.render(), media_type="application/pdf", headers=headers)
