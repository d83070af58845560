"""通知书: the documents of a case, read, drawn and printed."""

from uuid import UUID

from fastapi import Request, Response

from servicekit.app import create_router
from servicekit.auth import SignedIn
from servicekit.database import ReadSession
from servicekit.idempotency import UnkeyedSession
from services.requests.documents import service
from services.requests.documents.schemas import DocumentPrint, DocumentRead

router = create_router("documents")
PDF = "application/pdf"


@router.get("/cases/{case_id}/documents")
async def list_documents(
    case_id: UUID, caller: SignedIn, session: ReadSession, request: Request
) -> list[DocumentRead]:
    """办件的全部通知书。"""
    cipher = request.app.state.cipher
    return await service.list_documents(session, cipher, case_id=case_id, caller=caller)


@router.get("/cases/{case_id}/documents/{document_id}/pdf", response_class=Response)
async def draw_document(
    case_id: UUID, document_id: UUID, caller: SignedIn, session: ReadSession, request: Request
) -> Response:
    """通知书的 PDF；工作人员看到的申请人姓名是遮盖的。"""
    content = await service.draw(
        session,
        request.app.state.cipher,
        case_id=case_id,
        document_id=document_id,
        caller=caller,
    )
    return Response(content, media_type=PDF)


@router.post("/cases/{case_id}/documents/{document_id}/prints", response_class=Response)
async def print_document(
    case_id: UUID,
    document_id: UUID,
    body: DocumentPrint,
    caller: SignedIn,
    session: UnkeyedSession,
    request: Request,
) -> Response:
    """打印有申请人全名的通知书；须说明理由，本人可以查到这次打印。"""
    content = await service.print_out(
        session,
        request.app.state.cipher,
        case_id=case_id,
        document_id=document_id,
        caller=caller,
        reason=body.reason,
    )
    return Response(content, media_type=PDF)
