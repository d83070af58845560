"""差评整改期限: what holds in a division, and setting it."""

from typing import Annotated

from fastapi import Depends, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from services.evaluation.access import SUPERVISOR, Staff
from services.evaluation.dependencies import Policy
from services.evaluation.limits import service
from services.evaluation.limits.schemas import LimitsRead, LimitsWrite

router = create_router("rectification-limits")
Supervisor = Annotated[Caller, Depends(require(SUPERVISOR))]


@router.get("/rectification-limits/{division_code}")
async def read_limits(
    division_code: DivisionCode,
    caller: Staff,  # noqa: ARG001 - declared: staff alone
    session: ReadSession,
    settings: Policy,
    response: Response,
) -> LimitsRead:
    """一个区划适用的整改期限，以及由哪一级设定。"""
    limits = await service.read(session, division_code, settings)
    set_etag(response, limits.version)
    return limits


@router.put("/rectification-limits/{division_code}")
async def write_limits(
    division_code: DivisionCode,
    body: LimitsWrite,
    caller: Supervisor,
    session: Session,
    expected: ExpectedVersion,
    settings: Policy,
    response: Response,
) -> LimitsRead:
    """设定本区划及以下的整改期限；首次设定时版本为 0。"""
    await service.write(session, division_code, body, caller=caller, expected_version=expected)
    limits = await service.read(session, division_code, settings)
    set_etag(response, limits.version)
    return limits
