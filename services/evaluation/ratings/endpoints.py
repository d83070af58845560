"""评价: given by residents, read by the unit and its supervisors."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import StreamingResponse

from contracts.values import RatingLevel, UnitCode
from servicekit.app import create_router
from servicekit.auth import Resident, SignedIn
from servicekit.database import ReadSession, database_of
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from servicekit.sheets import SheetFormat, download_headers, write_csv
from services.evaluation.access import Staff
from services.evaluation.dependencies import DataCipher, Policy
from services.evaluation.fingerprints import Device
from services.evaluation.models import RatingState
from services.evaluation.ratings import changes, exports, reading, service
from services.evaluation.ratings.schemas import (
    RatingCorrection,
    RatingCreate,
    RatingForStaff,
    RatingRead,
    RatingReceipt,
    RatingStanding,
    RevisionList,
)

router = create_router("ratings")


@router.post("/ratings", status_code=201)
async def give_rating(
    body: RatingCreate,
    caller: SignedIn,
    session: Session,
    cipher: DataCipher,
    settings: Policy,
    device: Device = None,
) -> RatingReceipt:
    """评价本人办件的一项服务；每项服务可评价一次、追评一次。差评自动转单位整改。"""
    return await service.give(
        session, body, caller=caller, device=device, cipher=cipher, settings=settings
    )


@router.get("/ratings")
async def list_ratings(
    caller: Staff,
    session: ReadSession,
    cipher: DataCipher,
    level: RatingLevel | None = None,
    unit: Annotated[UnitCode | None, Query(description="只看这个单位")] = None,
    state: RatingState | None = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[RatingForStaff]:
    """本单位（督办人员：本区域）收到的评价，最新在前；不显示评价人。"""
    return await reading.list_for_staff(
        session,
        caller=caller,
        cipher=cipher,
        level=level,
        unit_code=unit,
        state=state,
        after=after,
        limit=limit,
    )


@router.get("/ratings/table.csv", response_class=StreamingResponse)
async def export_ratings(
    caller: Staff, request: Request, cipher: DataCipher, first: date, last: date
) -> StreamingResponse:
    """导出一段时间的评价；与列表一样不显示评价人。"""
    rows = exports.export(
        database_of(request), caller=caller, cipher=cipher, first=first, last=last
    )
    return StreamingResponse(
        write_csv(exports.HEADER, rows),
        media_type=SheetFormat.csv.media_type,
        headers=download_headers(f"ratings-{first}-{last}.csv"),
    )


@router.get("/ratings/{rating_id}")
async def read_rating(
    rating_id: UUID, caller: SignedIn, session: ReadSession, cipher: DataCipher
) -> RatingRead | RatingForStaff:
    """一条评价：本人看到原文，工作人员看到隐去个人信息的内容。"""
    return await reading.get(session, rating_id, caller=caller, cipher=cipher)


@router.post("/ratings/{rating_id}/correction")
async def correct_rating(
    rating_id: UUID,
    body: RatingCorrection,
    caller: Resident,
    session: Session,
    cipher: DataCipher,
    settings: Policy,
) -> RatingStanding:
    """更正自己的评价：限期内、单位尚未开始处理；原来的内容留痕。"""
    return await changes.correct(
        session, rating_id, body, caller=caller, cipher=cipher, settings=settings
    )


@router.post("/ratings/{rating_id}/withdrawal")
async def withdraw_rating(
    rating_id: UUID, caller: Resident, session: Session, settings: Policy
) -> RatingStanding:
    """撤回自己的评价：不再计入，但留痕；撤回后不能重新评价。"""
    return await changes.withdraw(session, rating_id, caller=caller, settings=settings)


@router.get("/ratings/{rating_id}/history")
async def read_rating_history(
    rating_id: UUID, caller: SignedIn, session: ReadSession, cipher: DataCipher
) -> RevisionList:
    """一条评价的更正、撤回、不计入和恢复；工作人员看到的已隐去个人信息。"""
    return await reading.list_revisions(session, rating_id, caller=caller, cipher=cipher)
