"""行政区划: read by anyone."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from contracts.values import DivisionCode, DivisionLevel
from servicekit.app import create_router
from servicekit.database import ReadSession
from servicekit.paging import After, Limit, Page, decode_cursor
from services.facilities.divisions import search, service
from services.facilities.divisions.repository import DivisionFilter
from services.facilities.divisions.schemas import (
    CodePrefix,
    CommunityKind,
    DivisionEntry,
    DivisionRead,
    NamePart,
    PathMatch,
)
from services.facilities.tags import tagged

router = create_router("divisions")
Code = Annotated[DivisionCode, Path(description="12 位区划代码", examples=["140802000000"])]


@router.get("/divisions", response_model=Page[DivisionEntry])
async def list_divisions(
    request: Request,
    session: ReadSession,
    name: Annotated[NamePart | None, Query(description="名称的一部分")] = None,
    within: Annotated[DivisionCode | None, Query(description="只看这个区划之内的")] = None,
    prefix: Annotated[CodePrefix | None, Query(description="代码的前几位")] = None,
    level: Annotated[DivisionLevel | None, Query(description="级别")] = None,
    kind: Annotated[CommunityKind | None, Query(description="村或社区")] = None,
    after: After = None,
    limit: Limit = 20,
) -> Response:
    """按名称、上级、代码前缀或级别查行政区划，按代码排列。"""
    wanted = DivisionFilter(
        codes=service.narrowest(within, prefix),
        name_part=name,
        level=level,
        community_kind=kind,
    )
    page = await service.list_divisions(session, wanted, after=_last(after), limit=limit)
    return tagged(request, page)


@router.get("/divisions/by-path")
async def find_by_path(
    session: ReadSession,
    name: Annotated[
        str,
        Query(
            min_length=2,
            max_length=120,
            description="名称路径，可从省、市或县写起，可省去“省”“村委会”等后缀",
            examples=["山西省运城市盐湖区解州镇常平村"],
        ),
    ],
) -> list[PathMatch]:
    """按名称路径查行政区划；曾用名和已撤销的也能查到。"""
    return await search.by_path(session, name)


@router.get("/divisions/{code}", response_model=DivisionRead)
async def read_division(code: Code, request: Request, session: ReadSession) -> Response:
    """一个行政区划，连同完整名称路径和历次变更；已撤销的写明何时、由谁承接。"""
    return tagged(request, await service.get(session, code))


@router.get("/divisions/{code}/children", response_model=Page[DivisionEntry])
async def list_children(
    code: Code, request: Request, session: ReadSession, after: After = None, limit: Limit = 20
) -> Response:
    """直接下级，按代码排列。"""
    page = await service.list_children(session, code, after=_last(after), limit=limit)
    return tagged(request, page)


def _last(after: str | None) -> str | None:
    return str(decode_cursor(after, 1)[0]) if after else None
