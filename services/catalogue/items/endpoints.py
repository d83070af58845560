"""Endpoints of items."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Depends, Path, Query, Request, Response

from contracts.values import DepartmentCode, DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, MaybeCaller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, is_unchanged
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.catalogue.items import reading, rules, service
from services.catalogue.items.content import ItemContent
from services.catalogue.items.rules import Action
from services.catalogue.items.schemas import (
    ActionRequest,
    Comparison,
    HistoryRead,
    ItemCreate,
    ItemHead,
    ItemRead,
    VersionHead,
    VersionRead,
)
from services.catalogue.models import Status
from services.catalogue.vocabulary import SupplyCategory

router = create_router("items")

Editor = Annotated[Caller, Depends(require(rules.EDITOR))]
EditorOrApprover = Annotated[Caller, Depends(require(rules.EDITOR, rules.APPROVER))]
Staff = Annotated[Caller, Depends(require(*rules.STAFF))]
Category = Annotated[SupplyCategory | None, Query(description="供给类别")]
Division = Annotated[DivisionCode | None, Query(description="居民所在区划，只列当地能办的")]
Department = Annotated[DepartmentCode | None, Query(description="主管部门")]
StatusFilter = Annotated[
    Status | None, Query(alias="status", description="事项状态；未公布和已取消的只有工作人员能看")
]
BasicCode = Annotated[str | None, Query(max_length=64, description="基本编码：各地同一事项")]
ImplementationCode = Annotated[
    str | None, Query(max_length=64, description="实施编码：一个事项和它的业务办理项")
]
#: What PostgreSQL's integer holds.
Number = Annotated[int, Path(ge=1, le=2_147_483_647)]


def _answer(body: Any, headers: dict[str, str] | None = None, *, status: int = 200) -> Response:
    # Content is kept as it was written; a newer schema must not refuse to show an old version.
    return Response(
        orjson.dumps(body, default=str),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )


def _as_staff(item: Any, headers: dict[str, str] | None = None, *, status: int = 200) -> Response:
    tagged = {"ETag": reading.tag_of(item, staff=True), **(headers or {})}
    return _answer(reading.whole(item, staff=True), tagged, status=status)


@router.post("/items", status_code=201, response_model=ItemRead)
async def create_item(body: ItemCreate, caller: Editor, session: Session) -> Response:
    """新建事项草稿。"""
    item = await service.create(session, caller, body)
    return _as_staff(item, {"Location": f"/v1/items/{item.id}"}, status=201)


@router.put("/items/{item_id}/draft", response_model=ItemRead)
async def save_draft(
    item_id: UUID, body: ItemContent, caller: Editor, expected: ExpectedVersion, session: Session
) -> Response:
    """修改草稿；已公布的事项由此开始编写下一个版本。"""
    item = await service.save_draft(session, caller, item_id, expected=expected, content=body)
    return _as_staff(item)


@router.post("/items/{item_id}/actions/{action}", response_model=ItemRead)
async def act(
    item_id: UUID,
    action: Action,
    body: ActionRequest,
    caller: EditorOrApprover,
    expected: ExpectedVersion,
    session: Session,
) -> Response:
    """提交审核、公布、退回、暂停、恢复、取消。公布须由编写人以外的人进行，可定在以后的日子。"""
    item = await service.act(
        session, caller, item_id, action=action, expected=expected, reason=body.reason,
        publish_on=body.publish_on,
    )  # fmt: skip
    return _as_staff(item)


@router.get("/items", response_model=Page[ItemHead])
async def list_items(
    caller: MaybeCaller,
    session: ReadSession,
    category: Category = None,
    department: Department = None,
    division: Division = None,
    status: StatusFilter = None,
    basic_code: BasicCode = None,
    implementation_code: ImplementationCode = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """事项列表，按建立的先后。"""
    items, following = await reading.list_page(
        session, caller, status=status, division=division, category=category,
        department=department, basic_code=basic_code,
        implementation_code=implementation_code, after=after, limit=limit,
    )  # fmt: skip
    return _answer({"items": items, "next": following})


@router.get("/items/{item_id}", response_model=ItemRead)
async def read_item(
    item_id: UUID, request: Request, caller: MaybeCaller, session: ReadSession
) -> Response:
    """一个事项的全部内容：表单、材料、时限、评分和现在能不能办。"""
    item, staff = await reading.get(session, caller, item_id)
    headers = {"ETag": reading.tag_of(item, staff=staff), "Vary": "Authorization"}
    # Staff also sees the score, which the version they edit by does not tell of.
    if not staff and is_unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return _answer(reading.whole(item, staff=staff), headers)


@router.get("/items/{item_id}/versions", response_model=Page[VersionHead])
async def list_versions(item_id: UUID, caller: MaybeCaller, session: ReadSession) -> Response:
    """公布过的各个版本，新的在前。"""
    versions = await reading.list_versions(session, caller, item_id)
    return _answer({"items": versions, "next": None})


@router.get("/items/{item_id}/versions/{number}", response_model=VersionRead)
async def read_version(
    item_id: UUID, number: Number, caller: MaybeCaller, session: ReadSession
) -> Response:
    """公布过的一个版本的原样。"""
    return _answer(await reading.get_version(session, caller, item_id, number))


@router.get("/items/{item_id}/differences", response_model=Comparison)
async def compare_versions(
    item_id: UUID,
    caller: MaybeCaller,
    session: ReadSession,
    before: Annotated[int, Query(ge=1, le=2_147_483_647, description="较早的版本号")],
    after: Annotated[
        int | None, Query(ge=1, le=2_147_483_647, description="较晚的版本号；不写则与草稿比较")
    ] = None,
) -> Response:
    """两个版本之间，或一个版本与草稿之间，哪些要素不同。"""
    return _answer(await reading.compare(session, caller, item_id, before, after))


@router.get("/items/{item_id}/history")
async def list_history(item_id: UUID, caller: Staff, session: ReadSession) -> Page[HistoryRead]:
    """谁在什么时候对事项做了什么、为什么，新的在前。"""
    rows = await reading.list_history(session, caller, item_id)
    items = [HistoryRead.model_validate(row, from_attributes=True) for row in rows]
    return Page(items=items, next=None)
