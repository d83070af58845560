"""派单: units, and why a case goes where it goes."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, SignedIn, WrongDivision, require
from servicekit.database import ReadSession
from servicekit.paging import After, Limit, Page, cut, decode_cursor, encode_cursor, id_cursor
from services.requests.cases import routes as case_routes
from services.requests.reference.endpoints import reference_of
from services.requests.routing import repository, rule_sets, service
from services.requests.routing.matcher import compile_rules
from services.requests.routing.schemas import (
    CaseRouting,
    ExplainRequest,
    Explanation,
    QueuedCase,
    UnitRead,
)
from services.requests.submissions.checks import find_open_item

router = create_router("routing")
Staff = Annotated[Caller, Depends(require("window-clerk", "handler", "supervisor", "operator"))]
Dispatcher = Annotated[Caller, Depends(require("supervisor"))]


@router.get("/units")
async def list_units(
    _: SignedIn,
    session: ReadSession,
    within: Annotated[DivisionCode | None, Query(description="只看这个区划之内的单位")] = None,
    after: After = None,
    limit: Limit = 20,
) -> Page[UnitRead]:
    """办理单位。"""
    last = decode_cursor(after, 1)[0] if after else None
    rows = await repository.list_units(session, within=within, after=last, limit=limit + 1)
    page, more = cut(list(rows), limit)
    units = [UnitRead.model_validate(row, from_attributes=True) for row in page]
    return Page(items=units, next=encode_cursor(units[-1].code) if more else None)


@router.post("/routing/explain")
async def explain(
    body: ExplainRequest, _: Staff, request: Request, session: ReadSession
) -> Explanation:
    """一件事会派到哪里，为什么；可以问任何一版规则；不产生办件。"""
    reference = reference_of(request)
    item = find_open_item(reference, body.item_code, body.division_code)
    matcher = None
    if body.version is not None:
        rule_set = await rule_sets.get(session, body.version)
        matcher = compile_rules(rule_set.rules, body.version)
    decision = service.decide(
        reference,
        item.state,
        body.division_code,
        channel=body.channel or "",
        is_organisation=body.is_organisation,
        at=body.at,
        matcher=matcher,
        whole=True,
    )
    unit_name = reference.units.get(decision.unit_code or "")
    return Explanation.model_validate(decision.as_record(whole=True) | {"unit_name": unit_name})


@router.get("/cases/{case_id}/routing")
async def read_case_routing(case_id: UUID, caller: SignedIn, session: ReadSession) -> CaseRouting:
    """一个办件收件时的派单决定，和后来的改派。"""
    return await case_routes.get_routing(session, case_id=case_id, caller=caller)


@router.get("/routing/queue")
async def list_dispatch_queue(
    caller: Dispatcher, session: ReadSession, after: After = None, limit: Limit = 20
) -> Page[QueuedCase]:
    """待派清单：本区域内没有规则接手、等待人工派单的办件，先收先派。"""
    if caller.division is None:
        raise WrongDivision
    rows = await case_routes.list_undispatched(
        session, caller.division, after=id_cursor(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    cases = [QueuedCase.model_validate(row, from_attributes=True) for row in page]
    return Page(items=cases, next=encode_cursor(cases[-1].id) if more else None)
