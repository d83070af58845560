"""Endpoints of the basic catalogue (基本目录)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, etag, is_unchanged, set_etag
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page, cut, encode_cursor, id_cursor
from services.catalogue.basics import repository, service
from services.catalogue.basics.schemas import (
    BasicCreate,
    BasicHistoryRead,
    BasicRead,
    BasicUpdate,
)
from services.catalogue.items.rules import EDITOR, STAFF

router = create_router("basic-items")

Editor = Annotated[Caller, Depends(require(EDITOR))]
Staff = Annotated[Caller, Depends(require(*STAFF))]
Division = Annotated[DivisionCode | None, Query(description="本区划适用的，包括上级的")]
Code = Annotated[str | None, Query(max_length=64, description="基本编码")]


def _read(row: Any) -> BasicRead:
    return BasicRead(
        id=row.id, basic_code=row.basic_code, division_code=row.division_code, state=row.state,
        version=row.version, changed_at=row.changed_at, **row.content,
    )  # fmt: skip


@router.post("/basic-items", status_code=201)
async def create_basic_item(
    body: BasicCreate, caller: Editor, session: Session, response: Response
) -> BasicRead:
    """在本区划的基本目录里新增一项。"""
    row = await service.create(session, caller, body)
    response.headers["Location"] = f"/v1/basic-items/{row.id}"
    set_etag(response, row.version)
    return _read(row)


@router.put("/basic-items/{basic_id}")
async def change_basic_item(
    basic_id: UUID,
    body: BasicUpdate,
    caller: Editor,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> BasicRead:
    """修改或取消一项，并说明原因。"""
    row = await service.change(session, caller, basic_id, expected=expected, body=body)
    set_etag(response, row.version)
    return _read(row)


@router.get("/basic-items")
async def list_basic_items(
    session: ReadSession,
    division: Division = None,
    basic_code: Code = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[BasicRead]:
    """基本目录。"""
    rows = await repository.list_page(
        session, division=division, basic_code=basic_code, after=id_cursor(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    following = encode_cursor(page[-1].id) if more else None
    return Page(items=[_read(row) for row in page], next=following)


@router.get("/basic-items/{basic_id}", response_model=BasicRead)
async def read_basic_item(
    basic_id: UUID, request: Request, session: ReadSession, response: Response
) -> BasicRead | Response:
    """基本目录里的一项。"""
    row = await service.get(session, basic_id)
    if is_unchanged(request, etag(row.version)):
        return Response(status_code=304, headers={"ETag": etag(row.version)})
    set_etag(response, row.version)
    return _read(row)


@router.get("/basic-items/{basic_id}/history")
async def list_history(
    basic_id: UUID, caller: Staff, session: ReadSession
) -> Page[BasicHistoryRead]:
    """谁在什么时候把这一项改成了什么、为什么。"""
    rows = await service.list_history(session, caller, basic_id)
    items = [BasicHistoryRead.model_validate(row, from_attributes=True) for row in rows]
    return Page(items=items, next=None)
