"""存疑评价的复核，和本单位工作人员号码的登记；只给督办人员."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from contracts.values import UnitCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.evaluation.access import SUPERVISOR
from services.evaluation.dependencies import DataCipher, Policy
from services.evaluation.integrity import reviewing, service
from services.evaluation.integrity.schemas import (
    FlagRead,
    FlagReview,
    FlagStanding,
    StaffNumberCreate,
    StaffNumberList,
    StaffNumberRead,
)
from services.evaluation.models import Detector, FlagState

router = create_router("integrity")
Supervisor = Annotated[Caller, Depends(require(SUPERVISOR))]


@router.get("/integrity-flags")
async def list_flags(
    caller: Supervisor,
    session: ReadSession,
    state: FlagState = FlagState.open,
    detector: Detector | None = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[FlagRead]:
    """本区域存疑的评价，最早的在前；复核之前照常计入。"""
    return await reviewing.list_flags(
        session, caller=caller, state=state, detector=detector, after=after, limit=limit
    )


@router.post("/integrity-flags/{flag_id}/review")
async def review_flag(
    flag_id: UUID,
    body: FlagReview,
    caller: Supervisor,
    session: Session,
    cipher: DataCipher,
    settings: Policy,
) -> FlagStanding:
    """复核一条存疑评价：保留或不计入，说明理由；由被评价单位以外的人复核。"""
    return await reviewing.review(
        session, flag_id, body, caller=caller, cipher=cipher, settings=settings
    )


@router.post("/staff-numbers", status_code=201)
async def add_staff_number(
    body: StaffNumberCreate, caller: Supervisor, session: Session, cipher: DataCipher
) -> StaffNumberRead:
    """登记工作人员自己的手机、设备或居民账号：只留不可还原的摘要。"""
    return await service.add_staff_number(session, body, caller=caller, cipher=cipher)


@router.get("/staff-numbers")
async def list_staff_numbers(
    caller: Supervisor, session: ReadSession, unit: UnitCode
) -> StaffNumberList:
    """一个单位登记了几个号码；不显示号码。"""
    return await service.list_staff_numbers(session, unit, caller=caller)


@router.delete("/staff-numbers/{number_id}", status_code=204)
async def delete_staff_number(number_id: UUID, caller: Supervisor, session: Session) -> None:
    """人员调离后删除登记。"""
    await service.delete_staff_number(session, number_id, caller=caller)
