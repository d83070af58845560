"""上传与材料: pieces come and go by signed links; everything else by who one is."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from servicekit.app import create_router
from servicekit.auth import Caller, Resident, SignedIn, require
from servicekit.database import ReadSession, database_of
from servicekit.errors import ServiceError
from servicekit.idempotency import UnkeyedSession
from servicekit.paging import After, Limit, Page, encode_cursor, id_cursor
from services.requests.materials import service, uploads
from services.requests.materials.schemas import (
    FileLink,
    LinkCreate,
    MaterialFiles,
    OwnMaterial,
    UploadCreate,
    UploadLink,
    UploadRead,
)

router = create_router("materials")
TUS = {"Tus-Resumable": "1.0.0", "Cache-Control": "no-store"}
Uploader = Annotated[
    Caller, Depends(require("resident", "window-clerk", "village-agent", "handler"))
]
Expires = Annotated[int, Query(ge=0, le=2**40)]
Signature = Annotated[str, Query(min_length=20, max_length=64)]


class ProtocolVersion(ServiceError):
    status, code, title = 412, "tus-version", "上传协议版本应为 1.0.0"
    headers = {"Tus-Version": "1.0.0"}  # noqa: RUF012 - as in every error


def files_of(request: Request) -> uploads.Files:
    files: uploads.Files = request.app.state.files
    return files


@router.post("/uploads", status_code=201)
async def begin_upload(
    body: UploadCreate, caller: Uploader, request: Request, response: Response
) -> UploadLink:
    """开始上传一个文件，得到一个已签名的地址；之后分段传，断网后可以接着传。"""
    begun = await uploads.begin(database_of(request), files_of(request), body, caller)
    response.headers.update(TUS | {"Location": begun.url, "Upload-Offset": "0"})
    return begun


@router.head("/uploads/{upload_id}", include_in_schema=False)
async def find_offset(
    upload_id: UUID, expires: Expires, signature: Signature, request: Request
) -> Response:
    """Tell a client where to go on (tus 1.0.0, HEAD)."""
    row = await uploads.get_upload(
        database_of(request), files_of(request), upload_id, expires=expires, signature=signature
    )
    offsets = {"Upload-Offset": str(row.received_bytes), "Upload-Length": str(row.size_bytes)}
    return Response(status_code=200, headers=TUS | offsets)


@router.patch(
    "/uploads/{upload_id}",
    status_code=204,
    openapi_extra={
        "requestBody": {
            "content": {
                "application/offset+octet-stream": {
                    "schema": {"type": "string", "format": "binary"}
                }
            }
        }
    },
)
async def receive_part(
    upload_id: UUID,
    expires: Expires,
    signature: Signature,
    offset: Annotated[int, Header(alias="Upload-Offset", ge=0)],
    tus: Annotated[str, Header(alias="Tus-Resumable")],
    request: Request,
) -> Response:
    """传一段（tus 1.0）。位置不对时告知应从哪里继续；传完时检查文件类型。"""
    if tus != TUS["Tus-Resumable"]:
        raise ProtocolVersion
    database, files = database_of(request), files_of(request)
    row = await uploads.get_upload(database, files, upload_id, expires=expires, signature=signature)
    reached = await uploads.receive(database, files, row, offset=offset, chunks=request.stream())
    return Response(status_code=204, headers=TUS | {"Upload-Offset": str(reached)})


@router.get("/uploads/{upload_id}")
async def read_upload(
    upload_id: UUID, expires: Expires, signature: Signature, request: Request
) -> UploadRead:
    """上传的进度和检查结果。"""
    row = await uploads.get_upload(
        database_of(request), files_of(request), upload_id, expires=expires, signature=signature
    )
    return UploadRead.model_validate(row, from_attributes=True)


@router.get("/cases/{case_id}/materials")
async def list_case_materials(
    case_id: UUID, caller: SignedIn, session: ReadSession, request: Request
) -> MaterialFiles:
    """办件的全部文件，包括补正前后的各个版本。"""
    cipher = request.app.state.cipher
    items = await service.list_of_case(session, cipher, case_id=case_id, caller=caller)
    return MaterialFiles(items=items)


@router.get("/materials")
async def list_own_materials(
    caller: Resident,
    session: ReadSession,
    request: Request,
    after: After = None,
    limit: Limit = 20,
) -> Page[OwnMaterial]:
    """我以前交过、可以沿用的材料。"""
    cipher = request.app.state.cipher
    found = await service.list_own(
        session, cipher, caller=caller, after=id_cursor(after), limit=limit + 1
    )
    page = found[:limit]
    more = len(found) > limit
    return Page(items=page, next=encode_cursor(page[-1].id) if more else None)


@router.post("/materials/{material_id}/links")
async def open_material(
    material_id: UUID,
    body: LinkCreate,
    caller: SignedIn,
    session: UnkeyedSession,
    request: Request,
) -> FileLink:
    """打开一个文件：得到几分钟内有效的地址。工作人员须说明理由，本人可以查到谁看过。"""
    return await service.open_link(
        session, files_of(request), material_id=material_id, caller=caller, reason=body.reason
    )


@router.get("/files/{upload_id}", response_class=StreamingResponse)
async def read_file(
    upload_id: UUID,
    expires: Expires,
    signature: Signature,
    session: ReadSession,
    request: Request,
) -> StreamingResponse:
    """按已签名的地址下载文件。"""
    content, headers = await service.read_file(
        session, files_of(request), upload_id=upload_id, expires=expires, signature=signature
    )
    return StreamingResponse(content, headers={"Cache-Control": "no-store", **headers})
