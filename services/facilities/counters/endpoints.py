"""窗口: read by anyone; recorded by the facility manager of a division above."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from pydantic import BaseModel

from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from services.facilities.attempts import Sent
from services.facilities.counters import service
from services.facilities.counters.schemas import CounterRead, CounterWrite

router = create_router("facilities")
Manager = Annotated[Caller, Depends(require("facility-manager"))]


class CounterList(BaseModel):
    """All counters of a facility."""

    items: list[CounterRead]


@router.get("/facilities/{facility_id}/counters")
async def list_counters(facility_id: UUID, session: ReadSession) -> CounterList:
    """一处设施的窗口和各窗口受理的事项。"""
    return CounterList(items=await service.list_counters(session, facility_id))


@router.post("/facilities/{facility_id}/counters", status_code=201)
async def add_counter(
    facility_id: UUID,
    body: Sent[CounterWrite],
    caller: Manager,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> CounterRead:
    """登记一个窗口；If-Match 和返回的 ETag 都是设施的版本。"""
    counter, version = await service.add(session, caller, facility_id, body, expected=expected)
    set_etag(response, version)
    return counter


@router.put("/facilities/{facility_id}/counters/{counter_id}")
async def change_counter(
    facility_id: UUID,
    counter_id: UUID,
    body: Sent[CounterWrite],
    caller: Manager,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> CounterRead:
    """修改一个窗口，受理的事项整体替换。"""
    counter, version = await service.change(
        session, caller, facility_id, counter_id, body, expected=expected
    )
    set_etag(response, version)
    return counter


@router.delete("/facilities/{facility_id}/counters/{counter_id}", status_code=204)
async def remove_counter(
    facility_id: UUID,
    counter_id: UUID,
    caller: Manager,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> None:
    """撤销一个窗口。"""
    version = await service.remove(session, caller, facility_id, counter_id, expected=expected)
    set_etag(response, version)
