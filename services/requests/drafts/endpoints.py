"""草稿: a resident's own, kept for a while."""

from uuid import UUID

from fastapi import Request, Response

from servicekit.app import create_router
from servicekit.auth import Resident
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session, UnkeyedSession
from servicekit.paging import After, Limit, Page, cut, encode_cursor, id_cursor
from services.requests.drafts import repository, service
from services.requests.drafts.schemas import DraftRead, DraftSummary, DraftWrite

router = create_router("drafts")


@router.post("/drafts", status_code=201)
async def create_draft(
    body: DraftWrite,
    caller: Resident,
    session: UnkeyedSession,
    request: Request,
    response: Response,
) -> DraftRead:
    """保存一份新草稿。内容加密保存，到期自动删除。"""
    state = request.app.state
    draft = await service.create(
        session, state.cipher, body=body, caller=caller, keep_days=state.settings.draft_days
    )
    set_etag(response, draft.version)
    return draft


@router.get("/drafts")
async def list_drafts(
    caller: Resident, session: ReadSession, after: After = None, limit: Limit = 20
) -> Page[DraftSummary]:
    """我的草稿，新的在前。"""
    rows = await repository.list_drafts(
        session, caller.account_id, after=id_cursor(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    drafts = [DraftSummary.model_validate(row, from_attributes=True) for row in page]
    return Page(items=drafts, next=encode_cursor(drafts[-1].id) if more else None)


@router.get("/drafts/{draft_id}")
async def read_draft(
    draft_id: UUID, caller: Resident, session: ReadSession, request: Request, response: Response
) -> DraftRead:
    """一份草稿；ETag 是版本号，修改时以 If-Match 带回。"""
    draft = await service.get(session, request.app.state.cipher, draft_id=draft_id, caller=caller)
    set_etag(response, draft.version)
    return draft


@router.put("/drafts/{draft_id}")
async def change_draft(
    draft_id: UUID,
    body: DraftWrite,
    expected: ExpectedVersion,
    caller: Resident,
    session: Session,
    request: Request,
    response: Response,
) -> DraftRead:
    """修改草稿；两台手机同时修改时，后到的会被告知。"""
    state = request.app.state
    draft = await service.change(
        session,
        state.cipher,
        draft_id=draft_id,
        expected_version=expected,
        body=body,
        caller=caller,
        keep_days=state.settings.draft_days,
    )
    set_etag(response, draft.version)
    return draft


@router.delete("/drafts/{draft_id}", status_code=204)
async def delete_draft(draft_id: UUID, caller: Resident, session: Session) -> None:
    """删除草稿。"""
    await service.remove(session, draft_id=draft_id, caller=caller)
