"""差评申诉: raised, backed by evidence, ruled on by another unit, reversed."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.evaluation.access import SUPERVISOR, Staff
from services.evaluation.attachments import AttachmentRead, AttachmentWrite
from services.evaluation.dependencies import DataCipher, Policy
from services.evaluation.disputes import reading, ruling, service
from services.evaluation.disputes.schemas import (
    DisputeCreate,
    DisputeRead,
    DisputeSummary,
    Reversal,
    Ruling,
)
from services.evaluation.models import DisputeState
from services.evaluation.rectifications.endpoints import ActingStaff
from services.evaluation.rectifications.transitions import Acting

router = create_router("disputes")


async def _acting_supervisor(
    caller: Annotated[Caller, Depends(require(SUPERVISOR))],
    expected: ExpectedVersion,
    cipher: DataCipher,
    settings: Policy,
) -> Acting:
    return Acting(caller, expected, cipher, settings)


ActingSupervisor = Annotated[Acting, Depends(_acting_supervisor)]


@router.post("/rectifications/{rectification_id}/disputes", status_code=201)
async def raise_dispute(
    rectification_id: UUID,
    body: DisputeCreate,
    acting: ActingStaff,
    session: Session,
    response: Response,
) -> DisputeSummary:
    """对误评或恶意差评提出申诉；复核期间整改期限暂停。If-Match 是整改的版本。"""
    raised = await service.raise_dispute(session, rectification_id, body, acting)
    set_etag(response, raised.version)
    return raised


@router.get("/disputes")
async def list_disputes(
    caller: Staff,
    session: ReadSession,
    state: DisputeState | None = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[DisputeSummary]:
    """本单位（督办人员：本区域）的申诉，最早的在前。"""
    return await reading.list_for_staff(
        session, caller=caller, state=state, after=after, limit=limit
    )


@router.get("/disputes/{dispute_id}")
async def read_dispute(
    dispute_id: UUID, caller: Staff, session: ReadSession, cipher: DataCipher, response: Response
) -> DisputeRead:
    """一项申诉：理由、证据、复核结论。"""
    shown = await reading.get(session, dispute_id, caller=caller, cipher=cipher)
    set_etag(response, shown.version)
    return shown


@router.post("/disputes/{dispute_id}/evidence", status_code=201)
async def add_evidence(
    dispute_id: UUID,
    body: AttachmentWrite,
    caller: Staff,
    session: Session,
    cipher: DataCipher,
) -> AttachmentRead:
    """申诉单位补充证据：PDF、PNG、JPEG，加密保存。"""
    return await service.add_evidence(session, dispute_id, body, caller=caller, cipher=cipher)


@router.get(
    "/disputes/{dispute_id}/evidence/{attachment_id}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
async def read_evidence(
    dispute_id: UUID, attachment_id: UUID, caller: Staff, session: ReadSession, cipher: DataCipher
) -> Response:
    """一份证据的原件。"""
    media_type, content = await reading.read_evidence(
        session, dispute_id, attachment_id, caller=caller, cipher=cipher
    )
    return Response(content, media_type=media_type, headers={"Content-Disposition": "attachment"})


@router.post("/disputes/{dispute_id}/ruling")
async def rule(
    dispute_id: UUID, body: Ruling, acting: ActingSupervisor, session: Session, response: Response
) -> DisputeSummary:
    """由其他单位的督办人员复核：成立则评价不计入，不成立则继续整改。"""
    ruled = await ruling.rule(session, dispute_id, body, acting)
    set_etag(response, ruled.version)
    return ruled


@router.post("/disputes/{dispute_id}/reversal")
async def reverse(
    dispute_id: UUID,
    body: Reversal,
    acting: ActingSupervisor,
    session: Session,
    response: Response,
) -> DisputeSummary:
    """由复核人以外的督办人员推翻结论，只能一次；评价随之恢复或不计入。"""
    reversed_ruling = await ruling.reverse(session, dispute_id, body, acting)
    set_etag(response, reversed_ruling.version)
    return reversed_ruling
