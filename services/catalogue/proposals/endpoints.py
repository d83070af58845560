"""Endpoints of proposals."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response

from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.catalogue.admissions.checks import ADMITTER, READERS
from services.catalogue.models import ProposalKind, ProposalState
from services.catalogue.proposals import service
from services.catalogue.proposals.schemas import Decision, ProposalRead
from services.catalogue.proposals.service import ProposalAction

router = create_router("proposals")

Admitter = Annotated[Caller, Depends(require(ADMITTER))]
Reader = Annotated[Caller, Depends(require(*READERS))]


@router.get("/catalogue-proposals")
async def list_proposals(
    caller: Reader,
    session: ReadSession,
    kind: Annotated[ProposalKind | None, Query(description="退出或者新增")] = None,
    state: Annotated[ProposalState | None, Query(description="状态")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[ProposalRead]:
    """由数据得出的建议：退出没人用、评价差、没有依据或经费的；新增群众要而没有的。"""
    rows, following = await service.list_page(
        session, caller, kind=kind, state=state, after=after, limit=limit
    )
    return Page(items=[ProposalRead.model_validate(row) for row in rows], next=following)


@router.post("/catalogue-proposals/{proposal_id}/actions/{action}", response_model=ProposalRead)
async def decide(
    proposal_id: UUID,
    action: ProposalAction,
    body: Decision,
    caller: Admitter,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> Any:
    """采纳或者不采纳；采纳退出建议即退出准入。"""
    row = await service.decide(
        session, caller, proposal_id, action=action, expected=expected, reason=body.reason
    )
    set_etag(response, row.version)
    return row
