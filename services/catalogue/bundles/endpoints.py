"""Endpoints of bundles."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Depends, Query, Request, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, MaybeCaller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, is_unchanged
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.catalogue.bundles import reading, service
from services.catalogue.bundles.content import BundleContent, Slug
from services.catalogue.bundles.schemas import (
    BundleActionRequest,
    BundleCreate,
    BundleHead,
    BundleHistoryRead,
    BundleRead,
    BundleVersionRead,
    Eligibility,
)
from services.catalogue.bundles.service import BundleAction
from services.catalogue.items.rules import APPROVER, EDITOR, STAFF
from services.catalogue.models import Status

router = create_router("bundles")

Editor = Annotated[Caller, Depends(require(EDITOR))]
EditorOrApprover = Annotated[Caller, Depends(require(EDITOR, APPROVER))]
Staff = Annotated[Caller, Depends(require(*STAFF))]
Division = Annotated[DivisionCode | None, Query(description="居民所在区划，只列当地能办的")]
Chosen = Annotated[
    list[str], Query(alias="option", max_length=20, description="已选的答案，问题:选项")
]


def _answer(body: Any, headers: dict[str, str] | None = None, *, status: int = 200) -> Response:
    return Response(
        orjson.dumps(body, default=str),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )


async def _as_staff(
    session: Any, bundle: Any, headers: dict[str, str] | None = None, *, status: int = 200
) -> Response:
    tagged = {"ETag": reading.tag_of(bundle, staff=True), **(headers or {})}
    return _answer(await reading.whole(session, bundle, staff=True), tagged, status=status)


@router.post("/bundles", status_code=201, response_model=BundleRead)
async def create_bundle(body: BundleCreate, caller: Editor, session: Session) -> Response:
    """新建“高效办成一件事”草稿。"""
    bundle = await service.create(session, caller, body)
    location = {"Location": f"/v1/bundles/{bundle.id}"}
    return await _as_staff(session, bundle, location, status=201)


@router.put("/bundles/{bundle_id}/draft", response_model=BundleRead)
async def save_draft(
    bundle_id: UUID,
    body: BundleContent,
    caller: Editor,
    expected: ExpectedVersion,
    session: Session,
) -> Response:
    """修改草稿；已公布的由此开始编写下一个版本。"""
    bundle = await service.save_draft(session, caller, bundle_id, expected=expected, content=body)
    return await _as_staff(session, bundle)


@router.post("/bundles/{bundle_id}/actions/{action}", response_model=BundleRead)
async def act(
    bundle_id: UUID,
    action: BundleAction,
    body: BundleActionRequest,
    caller: EditorOrApprover,
    expected: ExpectedVersion,
    session: Session,
) -> Response:
    """提交审核、公布、退回、取消。公布须由编写人以外的人进行。"""
    bundle = await service.act(
        session, caller, bundle_id, action=action, expected=expected, reason=body.reason
    )
    return await _as_staff(session, bundle)


@router.get("/bundles", response_model=Page[BundleHead])
async def list_bundles(
    caller: MaybeCaller,
    session: ReadSession,
    division: Division = None,
    theme: Annotated[Slug | None, Query(description="主题编码")] = None,
    status: Annotated[Status | None, Query(description="状态；未公布的只有工作人员能看")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """“高效办成一件事”列表，按建立的先后。"""
    items, following = await reading.list_page(
        session, caller, status=status, division=division, theme=theme, after=after, limit=limit
    )
    return _answer({"items": items, "next": following})


@router.get("/bundles/{bundle_id}", response_model=BundleRead)
async def read_bundle(
    bundle_id: UUID, request: Request, caller: MaybeCaller, session: ReadSession
) -> Response:
    """一件事的全部内容：包含的事项、合并后的材料清单、情形问题。"""
    bundle, staff = await reading.get(session, caller, bundle_id)
    headers = {"ETag": reading.tag_of(bundle, staff=staff), "Vary": "Authorization"}
    if not staff and is_unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return _answer(await reading.whole(session, bundle, staff=staff), headers)


@router.get("/bundles/{bundle_id}/eligibility", response_model=Eligibility)
async def read_eligibility(
    bundle_id: UUID,
    caller: MaybeCaller,
    session: ReadSession,
    chosen: Chosen = [],  # noqa: B006
) -> Response:
    """按已选的答案，哪些事项要办、为什么，需要哪些材料，下一个问什么。"""
    return _answer(await reading.eligibility(session, caller, bundle_id, chosen))


@router.get("/bundles/{bundle_id}/versions", response_model=Page[BundleVersionRead])
async def list_versions(bundle_id: UUID, caller: MaybeCaller, session: ReadSession) -> Response:
    """公布过的各个版本，新的在前。"""
    versions = await reading.list_versions(session, caller, bundle_id)
    return _answer({"items": versions, "next": None})


@router.get("/bundles/{bundle_id}/history")
async def list_history(
    bundle_id: UUID, caller: Staff, session: ReadSession
) -> Page[BundleHistoryRead]:
    """谁在什么时候做了什么、为什么，新的在前。"""
    rows = await reading.list_history(session, caller, bundle_id)
    items = [BundleHistoryRead.model_validate(row, from_attributes=True) for row in rows]
    return Page(items=items, next=None)
