"""The endpoints of one kind of import: hand a file in, follow it, cancel it, fetch its report."""

import re
from collections.abc import Collection
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, WrongDivision, require
from servicekit.database import ReadSession, database_of
from servicekit.idempotency import Session
from servicekit.imports import jobs, service
from servicekit.imports.schemas import ImportProblemRead, ImportRead, read_job, read_problem
from servicekit.middleware import Upload
from servicekit.paging import (
    DEFAULT_LIMIT,
    After,
    CursorMalformed,
    Limit,
    Page,
    cut,
    decode_cursor,
    encode_cursor,
    id_cursor,
)
from servicekit.sheets import SheetFormat, download_headers

#: A hundred thousand rows of a hundred short cells, several times over.
MAX_FILE_BYTES = 64 * 1024 * 1024
_CONTENT_TYPES = tuple(each.media_type.split(";")[0] for each in SheetFormat)

FileName = Annotated[
    str, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$", description="文件名")
]
Division = Annotated[DivisionCode, Query(description="各行所属的区划（含下级）")]
DryRun = Annotated[bool, Query(description="只检查，不写入")]


def import_upload(path: str) -> Upload:
    """What `create_service_app(uploads=…)` wants for the router of `path`."""
    return Upload(re.compile(f"/v1/{path}"), _CONTENT_TYPES, MAX_FILE_BYTES)


def import_router(
    path: str,
    *,
    kind: str,
    presets: Collection[str],
    uploaders: Collection[str],
    readers: Collection[str],
) -> APIRouter:
    """Endpoints under `/v1/<path>`; `uploaders` may hand in and cancel, `readers` only look."""
    router = create_router("imports")
    may_write = Annotated[Caller, Depends(require(*uploaders))]
    may_read = Annotated[Caller, Depends(require(*uploaders, *readers))]
    body = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _CONTENT_TYPES}

    @router.post(
        f"/{path}",
        status_code=202,
        openapi_extra={"requestBody": {"required": True, "content": body}},
        responses={200: {"model": ImportRead, "description": "同一个提交编号已经收过"}},
    )
    async def hand_in(
        request: Request,
        response: Response,
        caller: may_write,
        division: Division,
        file_name: FileName,
        preset: str | None = None,
        dry_run: DryRun = False,
    ) -> ImportRead:
        """交一个文件（CSV、XLSX 或 JSON）导入，正文即文件本身；结果随后按编号查询。"""
        caller.ensure_covers(division)
        if preset is not None and preset not in presets:
            raise service.PresetUnknown(presets=sorted(presets))
        handed = service.Handed(kind, division, file_name, preset, dry_run)
        row, is_new = await service.receive(request, caller, handed)
        response.status_code = 202 if is_new else 200
        response.headers["Location"] = f"/v1/{path}/{row.id}"
        return read_job(row)

    @router.get(f"/{path}")
    async def list_imports(
        caller: may_read,
        session: ReadSession,
        after: After = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[ImportRead]:
        """本区划的导入，新的在前。"""
        if caller.division is None:
            raise WrongDivision
        rows = await jobs.list_page(
            session, kind, within=caller.division, before=id_cursor(after), limit=limit + 1
        )
        page, more = cut(list(rows), limit)
        following = encode_cursor(page[-1].id) if more else None
        return Page(items=[read_job(row) for row in page], next=following)

    @router.get(f"/{path}/{{import_id}}")
    async def read_import(
        import_id: UUID,
        caller: may_read,
        session: ReadSession,
    ) -> ImportRead:
        """一次导入走到了哪里。"""
        return read_job(await service.get(session, caller, kind, import_id))

    @router.post(f"/{path}/{{import_id}}/actions/cancel")
    async def cancel_import(
        import_id: UUID,
        caller: may_write,
        session: Session,
    ) -> ImportRead:
        """停止导入；已经写入的行不撤回。"""
        return read_job(await service.cancel(session, caller, kind, import_id))

    @router.get(f"/{path}/{{import_id}}/problems")
    async def list_problems(
        import_id: UUID,
        caller: may_read,
        session: ReadSession,
        after: After = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[ImportProblemRead]:
        """有问题的行：哪一行、哪个字段、什么问题、怎么改。"""
        await service.get(session, caller, kind, import_id)
        rows = await jobs.list_problems(session, import_id, after=_number(after), limit=limit + 1)
        page, more = cut(list(rows), limit)
        following = encode_cursor(page[-1].id) if more else None
        return Page(items=[read_problem(row) for row in page], next=following)

    @router.get(f"/{path}/{{import_id}}/report", response_class=StreamingResponse)
    async def download_report(
        import_id: UUID,
        request: Request,
        caller: may_read,
        session: ReadSession,
        format: Literal["csv", "xlsx"] = "csv",
    ) -> StreamingResponse:
        """有问题的行做成一张表，供下载。"""
        row = await service.get(session, caller, kind, import_id)
        sheet_format = SheetFormat(format)
        return StreamingResponse(
            service.report(database_of(request), row.id, sheet_format),
            media_type=sheet_format.media_type,
            headers=download_headers(f"导入问题-{row.id}.{format}"),
        )

    return router


def _number(after: str | None) -> int:
    if after is None:
        return 0
    (position,) = decode_cursor(after, 1)
    if not isinstance(position, int):
        raise CursorMalformed
    return position
