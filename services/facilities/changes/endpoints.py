"""区划变更: recorded by operators and statisticians, read by anyone."""

from typing import Annotated

from fastapi import Depends

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.idempotency import Session
from services.facilities.attempts import Sent
from services.facilities.changes import service
from services.facilities.changes.schemas import ChangeRecorded, ChangeWrite
from services.facilities.divisions import service as divisions
from services.facilities.divisions.schemas import ChangeRead

router = create_router("divisions")
Keeper = Annotated[Caller, Depends(require("operator", "statistician"))]


@router.post("/division-changes", status_code=201)
async def record_change(
    body: Sent[ChangeWrite], caller: Keeper, session: Session
) -> ChangeRecorded:
    """登记区划变更；旧代码从此指向承接的区划，设施随之改挂。"""
    return await service.record(session, caller, body)


@router.get("/division-changes")
async def list_changes(code: DivisionCode, session: ReadSession) -> list[ChangeRead]:
    """一个代码的历次变更，先生效的在前。"""
    return await divisions.list_changes(session, code)
