"""照片: seen by anyone; added and removed by the facility manager of a division above."""

import re
from typing import Annotated, get_args
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.idempotency import Session
from servicekit.middleware import Upload
from services.facilities.photos import service
from services.facilities.photos.schemas import MAX_BYTES, ContentType, PhotoList, PhotoRead
from services.facilities.photos.store import PhotoStore

router = create_router("facilities")
Manager = Annotated[Caller, Depends(require("facility-manager"))]
CONTENT_TYPES: tuple[str, ...] = get_args(ContentType)
UPLOAD = Upload(re.compile(r"/v1/facilities/[0-9a-f-]{36}/photos"), CONTENT_TYPES, MAX_BYTES)
#: A picture never changes under its address.
_FOR_EVER = "public, max-age=31536000, immutable"
_BODY = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in CONTENT_TYPES}


def _store(request: Request) -> PhotoStore:
    store: PhotoStore = request.app.state.photos
    return store


Store = Annotated[PhotoStore, Depends(_store)]


@router.get("/facilities/{facility_id}/photos")
async def list_photos(facility_id: UUID, session: ReadSession) -> PhotoList:
    """一处设施的照片。"""
    return await service.list_photos(session, facility_id)


@router.post(
    "/facilities/{facility_id}/photos",
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": _BODY}},
)
async def add_photo(
    facility_id: UUID,
    request: Request,
    caller: Manager,
    session: Session,
    store: Store,
    caption: Annotated[str, Query(max_length=60, description="说明")] = "",
) -> PhotoRead:
    """添加一张照片，正文即图片本身；格式按内容认定。"""
    return await service.add(session, caller, store, facility_id, await request.body(), caption)


@router.get(
    "/facilities/{facility_id}/photos/{photo_id}",
    response_class=Response,
    responses={200: {"content": _BODY}},
)
async def read_photo(
    facility_id: UUID, photo_id: UUID, session: ReadSession, store: Store
) -> Response:
    """照片本身。"""
    content_type, content = await service.content_of(session, store, facility_id, photo_id)
    return Response(content, media_type=content_type, headers={"Cache-Control": _FOR_EVER})


@router.delete("/facilities/{facility_id}/photos/{photo_id}", status_code=204)
async def remove_photo(
    facility_id: UUID, photo_id: UUID, caller: Manager, session: Session
) -> None:
    """删除一张照片。"""
    await service.remove(session, caller, facility_id, photo_id)
