"""服务档案: seals, terms, export and destruction."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request, Response
from fastapi.responses import StreamingResponse

from servicekit.app import create_router
from servicekit.auth import Caller, SignedIn, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session, UnkeyedSession
from servicekit.paging import After, Limit, Page, cut, encode_cursor, id_cursor
from services.requests.archives import access, destructions, repository, retention, rules
from services.requests.archives.schemas import (
    ArchiveRead,
    DestructionCreate,
    DestructionRead,
    TermRead,
    Terms,
    TermWrite,
)
from services.requests.materials.schemas import LinkCreate

router = create_router("archives")
Supervisor = Annotated[Caller, Depends(require("supervisor"))]
Overseer = Annotated[Caller, Depends(require("supervisor", "auditor"))]
Operator = Annotated[Caller, Depends(require("operator"))]
Scope = Annotated[str, Path(pattern=r"^(\*|task-type:[0-9]{2}|item:[A-Za-z0-9:._-]{3,96})$")]


@router.get("/cases/{case_id}/archive")
async def read_archive(
    case_id: UUID, caller: SignedIn, session: ReadSession, request: Request
) -> ArchiveRead:
    """办件的档案：封存摘要、保管期限，并当场核对有没有被改动。"""
    cipher = request.app.state.cipher
    return await access.read_archive(session, cipher, case_id=case_id, caller=caller)


@router.post("/cases/{case_id}/archive/exports", response_class=StreamingResponse)
async def export_case(
    case_id: UUID, body: LinkCreate, caller: SignedIn, session: UnkeyedSession, request: Request
) -> StreamingResponse:
    """导出一个办件的全部内容（ZIP）；工作人员须说明理由，本人可以查到。"""
    state = request.app.state
    content = await access.export(
        session, state.cipher, state.files, case_id=case_id, caller=caller, reason=body.reason
    )
    headers = {
        "content-type": "application/zip",
        "content-disposition": f'attachment; filename="{case_id}.zip"',
        "cache-control": "no-store",
    }
    return StreamingResponse(content, headers=headers)


@router.get("/retention-rules")
async def list_terms(_: SignedIn, session: ReadSession) -> Terms:
    """保管期限的规定；没有单独规定的按默认年限。"""
    rows = await repository.list_terms(session)
    items = [TermRead.model_validate(row, from_attributes=True) for row in rows]
    return Terms(
        items=items, default_years=rules.DEFAULT_YEARS, default_source=rules.DEFAULT_SOURCE
    )


@router.put("/retention-rules/{scope}")
async def record_term(
    scope: Scope, body: TermWrite, caller: Operator, session: Session, response: Response
) -> TermRead:
    """规定一个事项、一类事项或其余全部事项的保管期限；只影响以后归档的办件。"""
    row = await retention.record(session, scope, body, caller)
    set_etag(response, row.version)
    return TermRead.model_validate(row, from_attributes=True)


@router.post("/archive-destructions", status_code=201)
async def propose_destruction(
    body: DestructionCreate, caller: Supervisor, session: Session, response: Response
) -> DestructionRead:
    """提出销毁：列出区域内保管期满的档案，另一人审批后才销毁。"""
    found = await destructions.propose(session, body, caller)
    set_etag(response, found.version)
    return DestructionRead.model_validate(found, from_attributes=True)


@router.get("/archive-destructions")
async def list_destructions(
    caller: Overseer, session: ReadSession, after: After = None, limit: Limit = 20
) -> Page[DestructionRead]:
    """本区域的销毁清册，新的在前。"""
    rows = await repository.list_destructions(
        session, access.division_of(caller), after=id_cursor(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    items = [DestructionRead.model_validate(row, from_attributes=True) for row in page]
    return Page(items=items, next=encode_cursor(items[-1].id) if more else None)


@router.get("/archive-destructions/{destruction_id}")
async def read_destruction(
    destruction_id: UUID, caller: Overseer, session: ReadSession, response: Response
) -> DestructionRead:
    """一份销毁清册。"""
    found = await destructions.get(session, destruction_id, caller)
    set_etag(response, found.version)
    return DestructionRead.model_validate(found, from_attributes=True)


@router.post("/archive-destructions/{destruction_id}/approve")
async def approve_destruction(
    destruction_id: UUID,
    expected: ExpectedVersion,
    caller: Supervisor,
    session: Session,
    request: Request,
) -> DestructionRead:
    """批准并销毁；不能由提出的人自己批准，销毁后不能恢复。"""
    cipher = request.app.state.cipher
    found = await destructions.decide(
        session,
        cipher,
        destruction_id=destruction_id,
        expected_version=expected,
        caller=caller,
        approve=True,
    )
    return DestructionRead.model_validate(found, from_attributes=True)


@router.post("/archive-destructions/{destruction_id}/reject")
async def reject_destruction(
    destruction_id: UUID,
    expected: ExpectedVersion,
    caller: Supervisor,
    session: Session,
    request: Request,
) -> DestructionRead:
    """不同意销毁；档案继续保管。"""
    cipher = request.app.state.cipher
    found = await destructions.decide(
        session,
        cipher,
        destruction_id=destruction_id,
        expected_version=expected,
        caller=caller,
        approve=False,
    )
    return DestructionRead.model_validate(found, from_attributes=True)
