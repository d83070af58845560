"""督办: issued for a case, listed, answered."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from servicekit.app import create_router
from servicekit.auth import Caller, WrongUnit, require
from servicekit.database import ReadSession
from servicekit.idempotency import Session
from servicekit.paging import After, Limit, Page, cut, encode_cursor, id_cursor
from services.requests.supervision import repository, service
from services.requests.supervision.schemas import (
    OrderIssued,
    OrderRead,
    OrderState,
    OrderWrite,
    ReplyWrite,
)

router = create_router("supervision")
Supervisor = Annotated[Caller, Depends(require("supervisor"))]
Handler = Annotated[Caller, Depends(require("handler", "village-agent"))]
Reader = Annotated[Caller, Depends(require("supervisor", "auditor", "handler", "village-agent"))]


@router.post("/cases/{case_id}/supervision-orders", status_code=201)
async def order(
    case_id: UUID, body: OrderWrite, caller: Supervisor, session: Session
) -> OrderIssued:
    """督办：要求办理单位在限期内说明情况。"""
    return await service.order(session, case_id=case_id, body=body, caller=caller)


@router.post("/supervision-orders/{order_id}/replies", status_code=204)
async def reply(order_id: UUID, body: ReplyWrite, caller: Handler, session: Session) -> None:
    """督办回复：由被督办的单位作出。"""
    await service.reply(session, order_id=order_id, body=body, caller=caller)


@router.get("/supervision-orders")
async def list_orders(
    caller: Reader,
    session: ReadSession,
    state: Annotated[OrderState | None, Query(description="只看这个状态")] = None,
    after: After = None,
    limit: Limit = 20,
) -> Page[OrderRead]:
    """督办单：督办人员看本区域的，承办人看本单位的，新的在前。"""
    by_division = caller.has("supervisor", "auditor") and caller.division is not None
    if not by_division and caller.unit is None:
        raise WrongUnit
    rows = await repository.list_orders(
        session,
        unit_code=None if by_division else caller.unit,
        division_code=caller.division if by_division else None,
        state=state,
        after=id_cursor(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    orders = [OrderRead.model_validate(row, from_attributes=True) for row in page]
    return Page(items=orders, next=encode_cursor(orders[-1].id) if more else None)
