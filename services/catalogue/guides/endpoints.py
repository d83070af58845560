"""Endpoints of guides (办事指南)."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from servicekit.app import create_router
from servicekit.database import ReadSession
from servicekit.etags import is_unchanged
from servicekit.sheets import download_headers
from services.catalogue.guides import service
from services.catalogue.guides.composition import Mode
from services.catalogue.guides.schemas import Guide

router = create_router("guides")
drawn = service.Drawn()

HowFull = Annotated[Mode, Query(description="full 完整；elder 大字、短句，给老年人看")]
Choices = Annotated[
    list[str], Query(alias="situation", max_length=20, description="所选的情形，只列需要的材料")
]
#: A guide may be shown for so long without asking again; then its ETag decides.
_CACHED = "public, max-age=60"


@router.get("/items/{item_id}/guide", response_model=Guide)
async def read_guide(
    item_id: UUID,
    request: Request,
    session: ReadSession,
    mode: HowFull = "full",
    situation: Choices = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """办事指南：一份可以缓存的文档。"""
    guide = await _guide(item_id, request, session, mode, situation)
    headers = {"ETag": f'"{service.digest_of(guide)}"', "Cache-Control": _CACHED}
    if is_unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(guide.model_dump_json(), media_type="application/json", headers=headers)


@router.get("/items/{item_id}/guide.pdf", response_class=Response)
async def print_guide(
    item_id: UUID,
    request: Request,
    session: ReadSession,
    mode: HowFull = "full",
    situation: Choices = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """办事指南的打印件，带二维码。"""
    guide = await _guide(item_id, request, session, mode, situation)
    digest = service.digest_of(guide)
    headers = {"ETag": f'"{digest}-pdf"', "Cache-Control": _CACHED}
    if is_unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    headers |= download_headers(f"{guide.title}-办事指南.pdf")
    return Response(await drawn.get(guide, digest), media_type="application/pdf", headers=headers)


async def _guide(
    item_id: UUID, request: Request, session: ReadSession, mode: Mode, chosen: list[str]
) -> Guide:
    public_url = request.app.state.settings.public_url
    return await service.get(session, item_id, mode=mode, chosen=chosen, public_url=public_url)
