"""村（社区）: read by anyone; figures recorded by the statistician of a division above."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import MaybeExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.imports import import_router
from servicekit.paging import After, Limit, Page, decode_cursor
from services.facilities.attempts import Sent
from services.facilities.communities import service
from services.facilities.communities.schemas import (
    CommunityEntry,
    CommunityRead,
    FiguresRead,
    FiguresVersion,
    FiguresWrite,
    Year,
)
from services.facilities.divisions.schemas import CommunityKind
from services.facilities.tags import tagged

router = create_router("communities")
IMPORTS = "community-figure-imports"
imports = import_router(
    IMPORTS, kind="figures", presets=(), uploaders=("statistician",), readers=("auditor",)
)
Statistician = Annotated[Caller, Depends(require("statistician"))]
Reviewer = Annotated[Caller, Depends(require("statistician", "auditor"))]
Code = Annotated[DivisionCode, Path(description="村（社区）的 12 位区划代码")]
OfYear = Annotated[Year, Path(description="年份")]


@router.get("/communities", response_model=Page[CommunityEntry])
async def list_communities(
    request: Request,
    session: ReadSession,
    within: Annotated[DivisionCode | None, Query(description="只看这个区划之内的")] = None,
    kind: Annotated[CommunityKind | None, Query(description="村或社区")] = None,
    after: After = None,
    limit: Limit = 20,
) -> Response:
    """一个区划之内的村和社区，连同最近一年的数据。"""
    last = str(decode_cursor(after, 1)[0]) if after else None
    page = await service.list_communities(
        session, within=within, kind=kind, after=last, limit=limit
    )
    return tagged(request, page)


@router.get("/communities/{code}", response_model=CommunityRead)
async def read_community(code: Code, request: Request, session: ReadSession) -> Response:
    """一个村或社区，连同最近一年的数据；没有统计的项目在 missing 中列出。"""
    return tagged(request, await service.get(session, code))


@router.get("/communities/{code}/figures/{year}")
async def read_figures(
    code: Code, year: OfYear, session: ReadSession, response: Response
) -> FiguresRead:
    """一年的数据；ETag 是修改时 If-Match 要用的版本。"""
    figures = await service.get_figures(session, code, year)
    set_etag(response, figures.version)
    return figures


@router.put("/communities/{code}/figures/{year}", responses={201: {"model": FiguresRead}})
async def record_figures(
    code: Code,
    year: OfYear,
    body: Sent[FiguresWrite],
    caller: Statistician,
    expected: MaybeExpectedVersion,
    session: Session,
    response: Response,
) -> FiguresRead:
    """录入一年的数据；修改已有数据须在 If-Match 中写明读到的版本，旧版本留存。"""
    figures, is_new = await service.record_figures(
        session, caller, code=code, year=year, body=body.whole(), expected=expected
    )
    response.status_code = 201 if is_new else 200
    set_etag(response, figures.version)
    return figures


@router.get("/communities/{code}/figures/{year}/versions")
async def list_versions(
    code: Code, year: OfYear, caller: Reviewer, session: ReadSession
) -> list[FiguresVersion]:
    """一年数据的各次录入和修改，最新的在前。"""
    return list(await service.list_versions(session, caller, code=code, year=year))
