"""Endpoints of items in sheets: import, approval of an import, export."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.responses import StreamingResponse

from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.idempotency import Session
from servicekit.imports import import_router, import_upload
from services.catalogue.items import rules
from services.catalogue.sheets import columns, service
from services.catalogue.sheets.exports import AskedExport, send
from services.catalogue.sheets.schemas import ApprovalCreate, ApprovalRead, PresetRead

PATH = "item-imports"
UPLOAD = import_upload(PATH)

imports = import_router(
    PATH,
    kind="items",
    presets=columns.presets(),
    uploaders=(rules.EDITOR,),
    readers=rules.STAFF,
)
router = create_router("sheets")

Approver = Annotated[Caller, Depends(require(rules.APPROVER))]
Staff = Annotated[Caller, Depends(require(*rules.STAFF))]


@router.post(f"/{PATH}/{{import_id}}/approval", status_code=202)
async def approve_import(
    import_id: UUID, body: ApprovalCreate, caller: Approver, session: Session
) -> ApprovalRead:
    """批准一次导入：其中仍在审核的事项随后逐批公布。须由导入人以外的人批准。"""
    approval = await service.approve(session, caller, import_id, reason=body.reason)
    return ApprovalRead.model_validate(approval)


@router.get(f"/{PATH}/{{import_id}}/approval")
async def read_approval(import_id: UUID, caller: Staff, session: ReadSession) -> ApprovalRead:
    """批准的导入公布到了哪里。"""
    return ApprovalRead.model_validate(await service.get_approval(session, caller, import_id))


@router.get("/item-presets")
async def list_presets() -> list[PresetRead]:
    """导入和导出可选的列名对照。"""
    return [PresetRead(name=name, title=columns.title(name)) for name in columns.presets()]


@router.get("/item-exports", response_class=StreamingResponse)
async def export_items(asked: AskedExport) -> StreamingResponse:
    """本区划及下级已公布的事项，按所选的列名导出，可再导入。"""
    return send(asked, "事项", service.published_rows, objects=service.published_items)
