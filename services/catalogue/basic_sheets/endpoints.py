"""Endpoints of the basic catalogue in sheets: import and export."""

from fastapi.responses import StreamingResponse

from servicekit.app import create_router
from servicekit.imports import import_router, import_upload
from services.catalogue.basic_sheets import service
from services.catalogue.basic_sheets.rows import TABLE
from services.catalogue.items import rules
from services.catalogue.sheets import columns
from services.catalogue.sheets.exports import AskedExport, send

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
async def export_basic_items(asked: AskedExport) -> StreamingResponse:
    """本区划及下级的基本目录，含已取消的，按所选的列名导出，可再导入。"""
    return send(asked, "基本目录", service.rows, table=TABLE)
