"""Endpoints of certificates: the question, the lists, and reports of departments."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.catalogue.certificates import reports, rules, service
from services.catalogue.certificates.rules import Action
from services.catalogue.certificates.schemas import (
    CheckRead,
    ListCreate,
    ListRead,
    ReportCreate,
    ReportHistoryRead,
    ReportRead,
    ReportStep,
)
from services.catalogue.models import ReportState

router = create_router("certificates")

Approver = Annotated[Caller, Depends(require("catalogue-approver"))]
Reporter = Annotated[Caller, Depends(require(*rules.REPORTERS))]
Handler = Annotated[Caller, Depends(require(*rules.HANDLERS))]
Reader = Annotated[
    Caller, Depends(require(*rules.REPORTERS, *rules.HANDLERS, "auditor", "operator"))
]
Village = Annotated[DivisionCode, Query(description="村（社区），或者它的上级区划")]
On = Annotated[date | None, Query(description="哪一天，默认今天")]


@router.get("/certificates/check", response_model=CheckRead)
async def check(
    name: Annotated[str, Query(min_length=2, max_length=60, description="证明的名称")],
    division: Village,
    session: ReadSession,
    on: On = None,
) -> Any:
    """村里能不能开这项证明：能、不能（该去哪里）、先核实。"""
    return await service.check(session, name=name, division=division, on=on)


@router.get("/certificate-lists", response_model=Page[ListRead])
async def list_lists(division: Village, session: ReadSession, on: On = None) -> Any:
    """当地适用的证明清单：不应出具的、可以出具的。"""
    return {
        "items": await service.list_in_force(session, division=division, on=on),
        "next": None,
    }


@router.get("/certificate-lists/{list_id}", response_model=ListRead)
async def read_list(list_id: UUID, session: ReadSession) -> Any:
    """清单的一个版本，旧版本也可以查。"""
    return await service.get(session, list_id)


@router.post("/certificate-lists", status_code=201, response_model=ListRead)
async def add_version(
    body: ListCreate, caller: Approver, session: Session, response: Response
) -> Any:
    """省级公布清单的新版本；以前的版本原样保留。"""
    added = await service.add_version(session, caller, body)
    response.headers["Location"] = f"/v1/certificate-lists/{added['id']}"
    return added


@router.post("/certificate-reports", status_code=201, response_model=ReportRead)
async def report(body: ReportCreate, caller: Reporter, session: Session, response: Response) -> Any:
    """反映部门仍要求开不应出具的证明，交乡镇协调。"""
    row = await reports.report(session, caller, body)
    response.headers["Location"] = f"/v1/certificate-reports/{row.id}"
    set_etag(response, row.version)
    return row


@router.post("/certificate-reports/{report_id}/actions/{action}", response_model=ReportRead)
async def act(
    report_id: UUID,
    action: Action,
    body: ReportStep,
    caller: Handler,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> Any:
    """乡镇联系部门协调，协调不了的报县，办结写明结果。"""
    row = await reports.act(session, caller, report_id, action=action, expected=expected, body=body)
    set_etag(response, row.version)
    return row


@router.get("/certificate-reports")
async def list_reports(
    caller: Reader,
    session: ReadSession,
    state: Annotated[ReportState | None, Query(description="状态")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[ReportRead]:
    """本区域的反映，按先后。"""
    rows, following = await reports.list_page(
        session, caller, state=state, after=after, limit=limit
    )
    return Page(items=[ReportRead.model_validate(row) for row in rows], next=following)


@router.get("/certificate-reports/{report_id}", response_model=ReportRead)
async def read_report(
    report_id: UUID, caller: Reader, session: ReadSession, response: Response
) -> Any:
    """一条反映现在的状态。"""
    row = await reports.get(session, caller, report_id)
    set_etag(response, row.version)
    return row


@router.get("/certificate-reports/{report_id}/history")
async def list_history(
    report_id: UUID, caller: Reader, session: ReadSession
) -> Page[ReportHistoryRead]:
    """谁在什么时候做了什么，新的在前。"""
    rows = await reports.history(session, caller, report_id)
    return Page(items=[ReportHistoryRead.model_validate(row) for row in rows], next=None)
