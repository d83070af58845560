"""工作清单: the list of a unit or division, its counts, kept filters, and steps for many cases."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request

from servicekit.app import create_router
from servicekit.auth import Caller, WrongUnit, require
from servicekit.database import ReadSession
from servicekit.errors import NotFound
from servicekit.idempotency import Session
from servicekit.identifiers import new_id
from servicekit.paging import After, CursorMalformed, Limit, Page, cut, decode_cursor, encode_cursor
from services.requests.cases.schemas import CaseSummary
from services.requests.reference.endpoints import reference_of
from services.requests.worklists import repository, service
from services.requests.worklists.schemas import (
    BulkResult,
    BulkWrite,
    Colleague,
    Counts,
    SavedFilterRead,
    SavedFilterWrite,
    WaitingFollowUp,
    WorkListFilter,
)

router = create_router("work-lists")
Worker = Annotated[
    Caller, Depends(require("window-clerk", "handler", "supervisor", "village-agent", "auditor"))
]
Acting = Annotated[
    Caller, Depends(require("window-clerk", "handler", "supervisor", "village-agent"))
]


class FilterNotFound(NotFound):
    code, title = "work-filter-not-found", "没有这个筛选"


class _ListQuery(WorkListFilter):
    """The filter with the place on the list."""

    after: After = None
    limit: Limit = 20


@router.get("/cases")
async def list_cases(
    caller: Worker, session: ReadSession, query: Annotated[_ListQuery, Query()]
) -> Page[CaseSummary]:
    """工作清单：承办人看本单位的，窗口和督办看本区域的，按承诺办结日排列，可以逐项筛选。"""
    rows = await service.list_work(
        session, query, caller=caller, after=_cursor(query.after), limit=query.limit + 1
    )
    page, more = cut(list(rows), query.limit)
    cases = [CaseSummary.model_validate(row, from_attributes=True) for row in page]
    last = cases[-1] if more else None
    return Page(items=cases, next=encode_cursor(last.due_on, last.id) if last else None)


@router.get("/work-lists/follow-ups")
async def list_follow_ups(
    caller: Worker, session: ReadSession, request: Request, after: After = None, limit: Limit = 20
) -> Page[WaitingFollowUp]:
    """容缺后补和承诺核查：本单位或本区域等着的，按日期排列；办结之后的核查也在内。"""
    rows = await service.list_follow_ups(
        session, reference_of(request), caller=caller, after=_dated(after), limit=limit + 1
    )
    page, more = cut(rows, limit)
    last = page[-1] if more else None
    return Page(items=page, next=encode_cursor(last.due_on, last.id) if last else None)


@router.get("/work-lists/counts")
async def count_work(caller: Worker, session: ReadSession) -> Counts:
    """在办件数：按亮灯和状态。"""
    return await service.count_work(session, caller)


@router.get("/work-lists/colleagues")
async def list_colleagues(caller: Acting, session: ReadSession) -> list[Colleague]:
    """同单位办过件的人，移交时选用。"""
    if caller.unit is None:
        raise WrongUnit
    rows = await repository.list_colleagues(session, caller.unit)
    return [Colleague.model_validate(row, from_attributes=True) for row in rows]


@router.get("/work-lists/filters")
async def list_filters(caller: Worker, session: ReadSession) -> list[SavedFilterRead]:
    """我保存的筛选。"""
    rows = await repository.list_filters(session, caller.account_id)
    return [SavedFilterRead.model_validate(row, from_attributes=True) for row in rows]


@router.post("/work-lists/filters", status_code=201)
async def save_filter(body: SavedFilterWrite, caller: Worker, session: Session) -> SavedFilterRead:
    """保存一个筛选；同名的被替换。"""
    row = {
        "id": new_id(),
        "owner_id": caller.account_id,
        "name": body.name,
        "filter": body.filter.model_dump(mode="json", exclude_none=True),
    }
    saved = await repository.save_filter(session, row)
    return SavedFilterRead(id=saved, name=body.name, filter=body.filter)


@router.delete("/work-lists/filters/{filter_id}", status_code=204)
async def delete_filter(filter_id: UUID, caller: Worker, session: Session) -> None:
    """删除我保存的筛选。"""
    if not await repository.delete_filter(session, caller.account_id, filter_id):
        raise FilterNotFound


@router.post("/work-lists/actions")
async def act_on_many(
    body: BulkWrite, caller: Acting, session: Session, request: Request
) -> BulkResult:
    """批量办理：对多个办件做同一步，每个办件各自成败，逐个给出结果。"""
    state = request.app.state
    return await service.act_on_many(
        session, reference_of(request), state.settings, state.cipher, body=body, caller=caller
    )


def _cursor(after: str | None) -> tuple[date | None, UUID] | None:
    if after is None:
        return None
    due_on, case_id = decode_cursor(after, 2)
    try:
        return _date(due_on), UUID(case_id)
    except (TypeError, ValueError, AttributeError):
        raise CursorMalformed from None


def _dated(after: str | None) -> tuple[date, UUID] | None:
    place = _cursor(after)
    if place is None:
        return None
    if place[0] is None:
        raise CursorMalformed
    return place[0], place[1]


def _date(value: Any) -> date | None:
    return None if value is None else date.fromisoformat(value)
