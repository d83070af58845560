"""Endpoints of items in sheets: import, approval of an import, export."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession, database_of
from servicekit.idempotency import Session
from servicekit.imports import import_router, import_upload
from servicekit.imports.service import PresetUnknown
from servicekit.sheets import SheetFormat, download_headers
from services.catalogue.items import rules
from services.catalogue.sheets import columns, service
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
async def export_items(
    request: Request,
    caller: Staff,
    division: Annotated[DivisionCode, Query(description="区划，含下级")],
    format: Literal["csv", "xlsx", "json"] = "csv",
    preset: Annotated[str | None, Query(max_length=40, description="列名对照")] = None,
) -> StreamingResponse:
    """本区划及下级已公布的事项，按所选的列名导出，可再导入。"""
    caller.ensure_covers(division)
    if preset is not None and preset not in columns.presets():
        raise PresetUnknown(presets=sorted(columns.presets()))
    sheet_format = SheetFormat(format)
    return StreamingResponse(
        service.export(database_of(request), sheet_format, preset=preset, division=division),
        media_type=sheet_format.media_type,
        headers=download_headers(f"事项-{division}.{format}"),
    )
