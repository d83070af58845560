"""需求: wishes of residents, live counts for staff, and the monthly lists for everybody."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, Resident, require
from servicekit.database import ReadSession
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.evaluation.access import STATISTICIAN, SUPERVISOR
from services.evaluation.demand import service
from services.evaluation.demand.schemas import (
    NeedListRead,
    NeedRead,
    WishCreate,
    WishRead,
    WishReceipt,
)
from services.evaluation.dependencies import DataCipher, Policy

router = create_router("demand")


@router.post("/wishes", status_code=201)
async def make_wish(
    body: WishCreate, caller: Resident, session: Session, cipher: DataCipher, settings: Policy
) -> WishReceipt:
    """提出心愿：想要而当地没有的服务或设施。"""
    return await service.wish(session, body, caller=caller, cipher=cipher, settings=settings)


@router.get("/wishes")
async def list_wishes(
    caller: Resident,
    session: ReadSession,
    cipher: DataCipher,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[WishRead]:
    """本人提出的心愿，最新在前。"""
    return await service.list_wishes(session, caller, cipher, after=after, limit=limit)


@router.get("/needs")
async def list_needs(
    caller: Annotated[Caller, Depends(require(SUPERVISOR, STATISTICIAN))],
    session: ReadSession,
    division: DivisionCode,
    month: Annotated[date | None, Query(description="该月任意一天；默认本月")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[NeedRead]:
    """本区域居民要而未得的：搜索无结果、心愿、不予受理，合计多的在前；不含是谁。"""
    return await service.list_needs(
        session, caller, division_code=division, month=month, after=after, limit=limit
    )


@router.get("/need-lists")
async def list_need_lists(
    session: ReadSession,
    division: DivisionCode | None = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[NeedListRead]:
    """各县每月的未满足需求清单，最新在前；提出人数少的并入乡镇或县，仍少的不列。"""
    return await service.list_lists(session, division, after=after, limit=limit)
