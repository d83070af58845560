"""设施: read by anyone; recorded and changed by the facility manager of a division above."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import After, CursorMalformed, Limit, Page, decode_cursor
from services.facilities.attempts import Sent
from services.facilities.divisions.service import subtree
from services.facilities.facilities import service
from services.facilities.facilities.parts import AccessFeature
from services.facilities.facilities.repository import FacilityFilter
from services.facilities.facilities.schemas import (
    FacilityCreate,
    FacilityEntry,
    FacilityRead,
    FacilityTransition,
    FacilityUpdate,
    FacilityVersion,
)
from services.facilities.models import FacilityState
from services.facilities.types.schemas import TypeCode

router = create_router("facilities")
#: What a version column holds at most.
MAX_VERSION = 2**31
Manager = Annotated[Caller, Depends(require("facility-manager"))]
Reviewer = Annotated[Caller, Depends(require("facility-manager", "auditor"))]


def wanted_places(
    within: Annotated[DivisionCode | None, Query(description="只看这个区划之内的")] = None,
    facility_type: Annotated[TypeCode | None, Query(description="设施类型代码")] = None,
    state: Annotated[FacilityState | None, Query(description="状态")] = None,
    item: Annotated[UUID | None, Query(description="只看有窗口受理这个事项的")] = None,
    accessible: Annotated[
        list[AccessFeature] | None, Query(max_length=10, description="须具备的无障碍设施，可重复")
    ] = None,
) -> FacilityFilter:
    """What a list of facilities is narrowed to, from the query string."""
    return FacilityFilter(
        codes=subtree(within) if within else None,
        facility_type=facility_type,
        state=state,
        item_id=item,
        accessible=tuple(accessible or ()),
    )


@router.get("/facilities")
async def list_facilities(
    session: ReadSession,
    wanted: Annotated[FacilityFilter, Depends(wanted_places)],
    after: After = None,
    limit: Limit = 20,
) -> Page[FacilityEntry]:
    """按区划、类型、状态、事项和无障碍设施查设施，按区划代码排列。"""
    return await service.list_facilities(session, wanted, after=last_place(after), limit=limit)


@router.post("/facilities", status_code=201)
async def create_facility(
    body: Sent[FacilityCreate], caller: Manager, session: Session, response: Response
) -> FacilityRead:
    """登记一处设施；已经在用的，直接按现状登记。"""
    return _versioned(response, await service.create(session, caller, body))


@router.get("/facilities/{facility_id}")
async def read_facility(
    facility_id: UUID, session: ReadSession, response: Response
) -> FacilityRead:
    """一处设施；ETag 是修改时 If-Match 要用的版本。"""
    return _versioned(response, await service.get(session, facility_id))


@router.patch("/facilities/{facility_id}")
async def change_facility(
    facility_id: UUID,
    body: Sent[FacilityUpdate],
    caller: Manager,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> FacilityRead:
    """修改设施信息：没有写的不变，null 表示清空，每周开放时间和无障碍整体替换。"""
    changed = await service.change(session, caller, facility_id, body, expected=expected)
    return _versioned(response, changed)


@router.post("/facilities/{facility_id}/transitions")
async def move_facility(
    facility_id: UUID,
    body: FacilityTransition,
    caller: Manager,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> FacilityRead:
    """开工、启用、停用维修、停用或重新规划。"""
    moved = await service.move(session, caller, facility_id, body, expected=expected)
    return _versioned(response, moved)


@router.get("/facilities/{facility_id}/versions")
async def list_history(
    facility_id: UUID,
    caller: Reviewer,
    session: ReadSession,
    after: After = None,
    limit: Limit = 20,
) -> Page[FacilityVersion]:
    """设施的历次变更，最新的在前。"""
    before = decode_cursor(after, 1)[0] if after else None
    if before is not None and not (isinstance(before, int) and 0 < before < MAX_VERSION):
        raise CursorMalformed
    return await service.list_history(session, caller, facility_id, before=before, limit=limit)


def _versioned(response: Response, facility: FacilityRead) -> FacilityRead:
    set_etag(response, facility.version)
    return facility


def last_place(after: str | None) -> tuple[str, UUID] | None:
    """The last place of the page before, out of a cursor.

    Raises:
        CursorMalformed: it is none of ours.
    """
    if after is None:
        return None
    division, identifier = decode_cursor(after, 2)
    try:
        return str(division), UUID(identifier)
    except (ValueError, AttributeError, TypeError):
        raise CursorMalformed from None
