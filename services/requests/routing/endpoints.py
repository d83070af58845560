"""派单: units, and why a case goes where it goes."""

from typing import Annotated

from fastapi import Depends, Query, Request

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, SignedIn, require
from servicekit.database import ReadSession
from servicekit.paging import After, Limit, Page, cut, decode_cursor, encode_cursor
from services.requests.reference.endpoints import reference_of
from services.requests.routing import repository, service
from services.requests.routing.schemas import ExplainRequest, Explanation, UnitRead
from services.requests.submissions.checks import find_open_item

router = create_router("routing")
Staff = Annotated[Caller, Depends(require("window-clerk", "handler", "supervisor", "operator"))]


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
async def explain(body: ExplainRequest, _: Staff, request: Request) -> Explanation:
    """一件事会派到哪里，为什么；不产生办件。"""
    reference = reference_of(request)
    item = find_open_item(reference, body.item_code)
    decision = service.decide(reference, item.state, body.division_code)
    unit_name = reference.units.get(decision.unit_code or "")
    return Explanation.model_validate(decision.as_record() | {"unit_name": unit_name})
