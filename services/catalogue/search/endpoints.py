"""Endpoints of search, and the index as a part of the app."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
import orjson
from fastapi import FastAPI, Request, Response
from fastapi import Query as Parameter
from sqlalchemy.exc import SQLAlchemyError

from contracts.values import Channel, DivisionCode
from servicekit.app import create_router
from servicekit.etags import is_unchanged
from servicekit.logging import logger
from services.catalogue.search import service
from services.catalogue.search.documents import AROUND_THE_CLOCK, Scope
from services.catalogue.search.index import SearchIndex
from services.catalogue.search.queries import MAX_QUERY, Query
from services.catalogue.search.schemas import SearchResult, Suggestions
from services.catalogue.vocabulary import Audience, ServiceObject

router = create_router("search")

Typed = Annotated[
    str,
    Parameter(min_length=1, max_length=MAX_QUERY, description="汉字、拼音或拼音首字母，一个字起"),
]
Division = Annotated[DivisionCode | None, Parameter(description="居民所在区划，只查当地能办的")]
ChannelFilter = Annotated[Channel | None, Parameter(alias="channel", description="办理渠道")]
AudienceFilter = Annotated[Audience | None, Parameter(alias="audience", description="面向人群")]
ServiceObjectFilter = Annotated[
    ServiceObject | None, Parameter(alias="service_object", description="服务对象")
]
Night = Annotated[bool, Parameter(description="只查 24 小时受理的")]
HitLimit = Annotated[int, Parameter(ge=1, le=50, description="最多返回几条")]


@router.get("/search", response_model=SearchResult)
async def search(
    request: Request,
    q: Typed,
    division: Division = None,
    channel: ChannelFilter = None,
    audience: AudienceFilter = None,
    service_object: ServiceObjectFilter = None,
    around_the_clock: Night = False,
    limit: HitLimit = 20,
) -> Response:
    """按名称、俗称、拼音、首字母或简介查事项、一件事和主题；打错一个字也能查到。"""
    night = AROUND_THE_CLOCK if around_the_clock else None
    scope = service.scope_of(division, filter(None, [channel, audience, service_object, night]))

    def answer(index: SearchIndex) -> dict[str, Any]:
        found = service.search(index, q, scope, limit, division=division)
        if not any(found.values()):
            request.app.state.missed_searches.note(Query.parse(q).text, division)
        return found

    return _answer(request, answer)


@router.get("/search/suggestions", response_model=Suggestions)
async def suggest(
    request: Request, q: Typed, division: Division = None, limit: HitLimit = 10
) -> Response:
    """输入时的提示：名称、俗称、拼音相符的事项。"""
    scope: Scope = service.scope_of(division, ())
    return _answer(request, lambda index: {"items": service.suggest(index, q, scope, limit)})


def _answer(request: Request, answer: Callable[[SearchIndex], dict[str, Any]]) -> Response:
    index: SearchIndex = request.app.state.search_index
    headers = {"ETag": service.tag_of(index)}
    if is_unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    body = orjson.dumps(answer(index), default=str)
    return Response(body, media_type="application/json", headers=headers)


@asynccontextmanager
async def search_index(app: FastAPI) -> AsyncIterator[None]:
    """Keep an index while the app runs; warm before the first request if the database answers."""
    index = SearchIndex(app.state.database)
    app.state.search_index = index
    try:
        await index.refresh()
    except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
        logger.warning("search_index_waits", error=repr(error))
    task = asyncio.create_task(index.run())
    task.add_done_callback(_tell)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _tell(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("search_index_stopped", exc_info=task.exception())
