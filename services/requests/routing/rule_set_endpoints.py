"""派单规则: drafted, checked, put into force and taken back by the operator."""

from typing import Annotated

from fastapi import Depends, Path, Request, Response

from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import After, CursorMalformed, Limit, Page, cut, decode_cursor, encode_cursor
from services.requests.reference.endpoints import reference_of
from services.requests.routing import repository, rule_sets
from services.requests.routing.schemas import (
    ActivationRead,
    ActivationWrite,
    CheckReport,
    RollbackWrite,
    RuleSetRead,
    RuleSetSummary,
    RuleSetWrite,
)

router = create_router("routing-rules")
Reader = Annotated[Caller, Depends(require("supervisor", "operator", "auditor"))]
Operator = Annotated[Caller, Depends(require("operator"))]
Version = Annotated[int, Path(ge=1, le=1_000_000)]


@router.get("/routing/rule-sets")
async def list_rule_sets(
    _: Reader, session: ReadSession, after: After = None, limit: Limit = 20
) -> Page[RuleSetSummary]:
    """各版派单规则，新的在前。"""
    last = decode_cursor(after, 1)[0] if after else None
    if not isinstance(last, int | None):
        raise CursorMalformed
    rows = await repository.list_rule_sets(session, after=last, limit=limit + 1)
    page, more = cut(list(rows), limit)
    sets = [RuleSetSummary.model_validate(row, from_attributes=True) for row in page]
    return Page(items=sets, next=encode_cursor(sets[-1].version) if more else None)


@router.get("/routing/rule-sets/{version}")
async def read_rule_set(
    version: Version, _: Reader, session: ReadSession, response: Response
) -> RuleSetRead:
    """一版派单规则的全部内容。"""
    found = await rule_sets.get(session, version)
    set_etag(response, found.edit)
    return found


@router.post("/routing/rule-sets", status_code=201)
async def draft_rule_set(
    body: RuleSetWrite, _: Operator, session: Session, response: Response
) -> RuleSetRead:
    """起草新的一版；生效之前不影响派单。"""
    drafted = await rule_sets.draft(session, body)
    set_etag(response, drafted.edit)
    return drafted


@router.put("/routing/rule-sets/{version}")
async def change_rule_set(
    version: Version,
    body: RuleSetWrite,
    expected: ExpectedVersion,
    _: Operator,
    session: Session,
    response: Response,
) -> RuleSetRead:
    """修改草稿。"""
    changed = await rule_sets.change(session, version, body, expected_edit=expected)
    set_etag(response, changed.edit)
    return changed


@router.post("/routing/rule-sets/{version}/checks")
async def check_rule_set(
    version: Version, _: Reader, session: ReadSession, request: Request
) -> CheckReport:
    """检查一版规则：冲突、永远轮不到的规则、没有规则管的组合；不改动任何东西。"""
    return await rule_sets.check(session, reference_of(request), version)


@router.post("/routing/rule-sets/{version}/activations")
async def activate_rule_set(
    version: Version, body: ActivationWrite, caller: Operator, session: Session
) -> RuleSetRead:
    """让一版规则即刻或者按时生效；有冲突的不能生效。"""
    return await rule_sets.activate(session, version, at=body.at, note=body.note, caller=caller)


@router.post("/routing/rollbacks")
async def roll_back(body: RollbackWrite, caller: Operator, session: Session) -> RuleSetRead:
    """退回上一版规则，即刻生效。"""
    return await rule_sets.roll_back(session, note=body.note, caller=caller)


@router.get("/routing/activations")
async def list_activations(_: Reader, session: ReadSession) -> list[ActivationRead]:
    """最近的规则更替。"""
    rows = await repository.list_activations(session, 50)
    return [ActivationRead.model_validate(row, from_attributes=True) for row in rows]
