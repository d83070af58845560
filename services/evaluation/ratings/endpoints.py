"""评价: given by residents, read by the unit and its supervisors."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from contracts.values import RatingLevel, UnitCode
from servicekit.app import create_router
from servicekit.auth import SignedIn
from servicekit.database import ReadSession
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.evaluation.access import Staff
from services.evaluation.dependencies import DataCipher, Policy
from services.evaluation.ratings import reading, service
from services.evaluation.ratings.schemas import (
    RatingCreate,
    RatingForStaff,
    RatingRead,
    RatingReceipt,
)

router = create_router("ratings")


@router.post("/ratings", status_code=201)
async def give_rating(
    body: RatingCreate, caller: SignedIn, session: Session, cipher: DataCipher, settings: Policy
) -> RatingReceipt:
    """评价本人办件的一项服务；每项服务可评价一次、追评一次。差评自动转单位整改。"""
    return await service.give(session, body, caller=caller, cipher=cipher, settings=settings)


@router.get("/ratings")
async def list_ratings(
    caller: Staff,
    session: ReadSession,
    cipher: DataCipher,
    level: RatingLevel | None = None,
    unit: Annotated[UnitCode | None, Query(description="只看这个单位")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[RatingForStaff]:
    """本单位（督办人员：本区域）收到的评价，最新在前；不显示评价人。"""
    return await reading.list_for_staff(
        session, caller=caller, cipher=cipher, level=level, unit_code=unit, after=after, limit=limit
    )


@router.get("/ratings/{rating_id}")
async def read_rating(
    rating_id: UUID, caller: SignedIn, session: ReadSession, cipher: DataCipher
) -> RatingRead | RatingForStaff:
    """一条评价：本人看到原文，工作人员看到隐去个人信息的内容。"""
    return await reading.get(session, rating_id, caller=caller, cipher=cipher)
