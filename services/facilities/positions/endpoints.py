"""四至范围: read by anyone, recorded by the statistician of the county."""

from typing import Annotated

from fastapi import Depends, Path, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import MaybeExpectedVersion, set_etag
from servicekit.idempotency import Session
from services.facilities.positions import service
from services.facilities.positions.schemas import ExtentRead, ExtentWrite

router = create_router("divisions")
Statistician = Annotated[Caller, Depends(require("statistician"))]
County = Annotated[DivisionCode, Path(description="县（市、区）的 12 位区划代码")]


@router.get("/divisions/{code}/extent")
async def read_extent(code: County, session: ReadSession, response: Response) -> ExtentRead:
    """一个县的四至范围；ETag 是修改时 If-Match 要用的版本。"""
    extent = await service.get_extent(session, code)
    set_etag(response, extent.version)
    return extent


@router.put("/divisions/{code}/extent", responses={201: {"model": ExtentRead}})
async def record_extent(
    code: County,
    body: ExtentWrite,
    caller: Statistician,
    expected: MaybeExpectedVersion,
    session: Session,
    response: Response,
) -> ExtentRead:
    """登记或修改四至范围；此后坐标超出过远的设施不能登记。"""
    extent, is_new = await service.record_extent(
        session, caller, code=code, body=body, expected=expected
    )
    response.status_code = 201 if is_new else 200
    set_etag(response, extent.version)
    return extent
