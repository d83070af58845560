"""Endpoints of themes and categories."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Path, Query, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, MaybeExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import Page
from services.catalogue.bundles.content import Slug
from services.catalogue.items.rules import EDITOR
from services.catalogue.themes import service
from services.catalogue.themes.schemas import Categories, ThemeHead, ThemePut, ThemeRead

router = create_router("themes")

Editor = Annotated[Caller, Depends(require(EDITOR))]
OfDivision = Annotated[DivisionCode, Path(description="对这个区划和以下的居民显示")]
Code = Annotated[Slug, Path(description="主题编码")]
Division = Annotated[DivisionCode, Query(description="居民所在区划")]


@router.get("/categories", response_model=Categories)
async def read_categories(division: Division, session: ReadSession) -> Any:
    """十类供给、三类村级事项、为民便民安民，各有多少当地能办的事项。"""
    return await service.categories(session, division)


@router.get("/themes", response_model=Page[ThemeHead])
async def list_themes(
    division: Division,
    session: ReadSession,
    subject: Annotated[
        Literal["person", "organisation"] | None, Query(description="自然人或者法人")
    ] = None,
) -> Any:
    """当地的主题，按显示的先后。"""
    return {"items": await service.list_of(session, division, subject), "next": None}


@router.get("/themes/{theme_id}", response_model=ThemeRead)
async def read_theme(theme_id: UUID, session: ReadSession, response: Response) -> Any:
    """一个主题下的事项和一件事。"""
    theme = await service.get(session, theme_id)
    set_etag(response, theme["version"])
    return theme


@router.put("/themes/{division}/{code}", response_model=ThemeRead)
async def put_theme(
    division: OfDivision,
    code: Code,
    body: ThemePut,
    caller: Editor,
    expected: MaybeExpectedVersion,
    session: Session,
    response: Response,
) -> Any:
    """建立或者修改主题；修改时带 If-Match。"""
    theme = await service.put(
        session, caller, division=division, code=code, body=body, expected=expected
    )
    set_etag(response, theme["version"])
    return theme


@router.delete("/themes/{division}/{code}", status_code=204)
async def delete_theme(
    division: OfDivision, code: Code, caller: Editor, expected: ExpectedVersion, session: Session
) -> Response:
    """删去主题，不动其中的事项。"""
    await service.drop(session, caller, division=division, code=code, expected=expected)
    return Response(status_code=204)
