"""Endpoints of admission: proposals and their steps, totals, and the public lists."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, MaybeExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.catalogue.admissions import caps, checks, consultation, reading, service
from services.catalogue.admissions.content import AdmissionContent, Funds
from services.catalogue.admissions.rules import Action
from services.catalogue.admissions.schemas import (
    AdmissionCreate,
    AdmissionHistoryRead,
    AdmissionRead,
    AdmissionStep,
    AdmissionWhole,
    CapPut,
    CapRead,
    ListEntry,
    OpinionGive,
)
from services.catalogue.departments import SPEAKERS
from services.catalogue.models import AdmissionKind, AdmissionState

router = create_router("admissions")

Department = Annotated[Caller, Depends(require(*SPEAKERS))]
Admitter = Annotated[Caller, Depends(require(checks.ADMITTER))]
Acting = Annotated[Caller, Depends(require(checks.ADMITTER, *SPEAKERS))]
Township = Annotated[Caller, Depends(require(checks.TOWNSHIP))]
Reader = Annotated[Caller, Depends(require(*checks.READERS))]
County = Annotated[DivisionCode, Path(description="县级区划")]
OfDivision = Annotated[DivisionCode, Query(description="县，或者县以下的任一级")]


async def _whole(session: Any, row: Any, response: Response) -> dict[str, Any]:
    set_etag(response, row.version)
    return await reading.whole(session, row)


@router.post("/admissions", status_code=201, response_model=AdmissionWhole)
async def propose(
    body: AdmissionCreate, caller: Department, session: Session, response: Response
) -> Any:
    """部门申请把一项工作、表格、考核或者印章使用交给村级组织。"""
    row = await service.propose(session, caller, body)
    response.headers["Location"] = f"/v1/admissions/{row.id}"
    return await _whole(session, row, response)


@router.put("/admissions/{admission_id}", response_model=AdmissionWhole)
async def rewrite(
    admission_id: UUID,
    body: AdmissionContent,
    caller: Department,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> Any:
    """依据还没有审核通过时，修改申请。"""
    row = await service.rewrite(session, caller, admission_id, expected=expected, content=body)
    return await _whole(session, row, response)


@router.put("/admissions/{admission_id}/funds", response_model=AdmissionWhole)
async def state_funds(
    admission_id: UUID,
    body: Funds,
    caller: Department,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> Any:
    """写明经费、工作条件和培训；准入以后可以续期。"""
    row = await service.state_funds(session, caller, admission_id, expected=expected, funds=body)
    return await _whole(session, row, response)


@router.post("/admissions/{admission_id}/opinions", response_model=AdmissionWhole)
async def give_opinion(
    admission_id: UUID, body: OpinionGive, caller: Township, session: Session, response: Response
) -> Any:
    """乡镇写明村里能不能承担。"""
    row = await consultation.give_opinion(session, caller, admission_id, body)
    return await _whole(session, row, response)


@router.post("/admissions/{admission_id}/actions/{action}", response_model=AdmissionWhole)
async def act(
    admission_id: UUID,
    action: Action,
    body: AdmissionStep,
    caller: Acting,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> Any:
    """依据通过、征求意见、准入、不予准入、撤回、年度评估保留、退出。"""
    row = await service.act(
        session, caller, admission_id, action=action, expected=expected, body=body
    )
    return await _whole(session, row, response)


@router.get("/admissions", response_model=Page[AdmissionRead])
async def list_admissions(
    caller: Reader,
    session: ReadSession,
    kind: Annotated[AdmissionKind | None, Query(description="种类")] = None,
    state: Annotated[AdmissionState | None, Query(description="状态")] = None,
    review_due: Annotated[bool, Query(description="只列该做年度评估的")] = False,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Any:
    """本区域的准入申请和准入事项，按提出的先后。"""
    items, following = await reading.list_page(
        session, caller, kind=kind, state=state, review_due=review_due, after=after, limit=limit
    )
    return {"items": items, "next": following}


@router.get("/admissions/{admission_id}", response_model=AdmissionWhole)
async def read_admission(
    admission_id: UUID, caller: Reader, session: ReadSession, response: Response
) -> Any:
    """一项准入的全部内容：依据、经费、乡镇意见、批准文号、使用次数。"""
    row = await reading.get(session, caller, admission_id)
    return await _whole(session, row, response)


@router.get("/admissions/{admission_id}/history")
async def list_history(
    admission_id: UUID, caller: Reader, session: ReadSession
) -> Page[AdmissionHistoryRead]:
    """谁在什么时候做了什么、为什么，新的在前。"""
    rows = await reading.history(session, caller, admission_id)
    items = [AdmissionHistoryRead.model_validate(row, from_attributes=True) for row in rows]
    return Page(items=items, next=None)


@router.get("/village-lists/{kind}", response_model=Page[ListEntry])
async def read_village_list(
    kind: AdmissionKind,
    division: OfDivision,
    session: ReadSession,
    on: Annotated[date | None, Query(description="哪一天，默认今天")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Any:
    """村级清单：工作事项、填报表格、考核评比、印章使用范围。清单以外的可以拒绝。"""
    items, following = await reading.village_list(
        session, kind=kind, division=division, on=on, after=after, limit=limit
    )
    return {"items": items, "next": following}


@router.get("/admission-caps", response_model=Page[CapRead])
async def list_caps(division: OfDivision, session: ReadSession) -> Any:
    """本县各类事项的总量和已准入的数量。"""
    found = await caps.list_caps(session, reading.county_of(division))
    return {"items": found, "next": None}


@router.put("/admission-caps/{county}/{kind}", response_model=CapRead)
async def put_cap(
    county: County,
    kind: AdmissionKind,
    body: CapPut,
    caller: Admitter,
    expected: MaybeExpectedVersion,
    session: Session,
    response: Response,
) -> Any:
    """确定本县一类事项的总量；改动时带 If-Match。"""
    cap = await caps.put_cap(
        session,
        caller,
        county=county,
        kind=kind,
        most=body.most,
        document=body.document,
        expected=expected,
    )
    set_etag(response, cap.version)
    return await caps.read(session, cap)
