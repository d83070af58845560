"""Endpoints of the basic catalogue in sheets: import and export."""

from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import database_of
from servicekit.imports import import_router, import_upload
from servicekit.imports.service import PresetUnknown
from servicekit.sheets import SheetFormat, download_headers
from services.catalogue.basic_sheets import service
from services.catalogue.items import rules
from services.catalogue.sheets import columns

PATH = "basic-item-imports"
UPLOAD = import_upload(PATH)

imports = import_router(
    PATH,
    kind="basic-items",
    presets=columns.presets(),
    uploaders=(rules.EDITOR,),
    readers=rules.STAFF,
)
router = create_router("basic-sheets")


@router.get("/basic-item-exports", response_class=StreamingResponse)
async def export_basic_items(
    request: Request,
    caller: Annotated[Caller, Depends(require(*rules.STAFF))],
    division: Annotated[DivisionCode, Query(description="区划，含下级")],
    format: Literal["csv", "xlsx", "json"] = "csv",
    preset: Annotated[str | None, Query(max_length=40, description="列名对照")] = None,
) -> StreamingResponse:
    """本区划及下级的基本目录，含已取消的，按所选的列名导出，可再导入。"""
    caller.ensure_covers(division)
    if preset is not None and preset not in columns.presets():
        raise PresetUnknown(presets=sorted(columns.presets()))
    sheet_format = SheetFormat(format)
    return StreamingResponse(
        service.export(database_of(request), sheet_format, preset=preset, division=division),
        media_type=sheet_format.media_type,
        headers=download_headers(f"基本目录-{division}.{format}"),
    )
