"""Use cases of admission: propose, fund, consult, decide, review, end."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.timers import cancel_timers, set_timer
from services.catalogue.admissions import consultation, repository, rules
from services.catalogue.admissions.checks import (
    ensure_department,
    ensure_given,
    ensure_hand,
    ensure_valid,
    refuse,
)
from services.catalogue.admissions.content import AdmissionContent, Funds
from services.catalogue.admissions.errors import (
    AdmissionNotFound,
    CapMissing,
    CapReached,
    OwnProposal,
    StepRefused,
)
from services.catalogue.admissions.recording import night_after, remember, today, write
from services.catalogue.admissions.rules import Action
from services.catalogue.admissions.schemas import AdmissionCreate, AdmissionStep
from services.catalogue.editing import changeable
from services.catalogue.items.violation import Violation
from services.catalogue.models import AdmissionKind, AdmissionState

EXPIRE_TIMER = "admission-expiry"
APPRAISE_TIMER = "admission-appraisal"
#: How often the figures of an admission are looked at. Ours.
APPRAISE_DAYS = 30


async def propose(session: AsyncSession, caller: Caller, body: AdmissionCreate) -> Any:
    """Propose to hand something to the villages of a county.

    Raises:
        WrongDivision, WrongDepartment: it is not the caller's to propose.
        ForbiddenKind: villages must not carry it, whoever asks.
        AdmissionRefused: everything else that is wrong, at once.
        AlreadyInHand: at commit, when the item is admitted or proposed already.
    """
    content = body.content()
    ensure_department(caller, body.division_code, content.department)
    await ensure_valid(session, body.kind, body.division_code, body.item_id, content)
    at, admission_id = now(), new_id()
    await repository.add(
        session,
        id=admission_id,
        kind=body.kind,
        name=content.name,
        item_id=body.item_id,
        division_code=body.division_code,
        department=content.department,
        state=AdmissionState.proposed,
        version=1,
        content=content.model_dump(mode="json"),
        proposer=str(caller.account_id),
        townships=[],
        created_at=at,
        changed_at=at,
    )
    await remember(session, caller, admission_id, "propose", None, AdmissionState.proposed, at)
    return await repository.find(session, admission_id)


async def rewrite(
    session: AsyncSession,
    caller: Caller,
    admission_id: UUID,
    *,
    expected: int,
    content: AdmissionContent,
) -> Any:
    """Change a proposal while the county has not confirmed its basis.

    Raises:
        AdmissionNotFound, WrongDivision, WrongDepartment, StaleVersion: as for every change.
        StepRefused: the basis is confirmed.
        ForbiddenKind, AdmissionRefused: what is wrong, at once.
    """
    row = await _lock(session, admission_id, expected, caller)
    ensure_department(caller, row.division_code, row.department)
    if row.state != AdmissionState.proposed:
        raise StepRefused
    ensure_department(caller, row.division_code, content.department)
    await ensure_valid(session, AdmissionKind(row.kind), row.division_code, row.item_id, content)
    return await write(
        session,
        caller,
        row,
        "rewrite",
        AdmissionState.proposed,
        name=content.name,
        department=content.department,
        content=content.model_dump(mode="json"),
    )


async def state_funds(
    session: AsyncSession, caller: Caller, admission_id: UUID, *, expected: int, funds: Funds
) -> Any:
    """Say who pays and what the department provides; later on, renew it.

    Raises:
        AdmissionNotFound, WrongDivision, WrongDepartment, StaleVersion: as for every change.
        StepRefused: the basis is not confirmed, or all is over.
    """
    row = await _lock(session, admission_id, expected, caller)
    ensure_department(caller, row.division_code, row.department)
    state = AdmissionState(row.state)
    if state not in (AdmissionState.funding, AdmissionState.admitted):
        raise StepRefused
    content = {**row.content, "funds": funds.model_dump(mode="json")}
    return await write(session, caller, row, "state-funds", state, content=content)


async def act(
    session: AsyncSession,
    caller: Caller,
    admission_id: UUID,
    *,
    action: Action,
    expected: int,
    body: AdmissionStep,
) -> Any:
    """Take one step of the path.

    Raises:
        AdmissionNotFound, WrongRole, WrongDivision, WrongDepartment, StaleVersion: as ever.
        StepRefused: the state has no such step.
        AdmissionRefused: what the step needs is missing or wrong; all of it is listed.
        OwnProposal: whoever proposed it would admit it.
        CapMissing, CapReached: the county's total is not set, or reached.

    Concurrency: locks the admission, and for an approval the county's total.
    """
    row = await _lock(session, admission_id, expected, caller)
    step = rules.TRANSITIONS.get((AdmissionState(row.state), action))
    ensure_hand(caller, row, action)
    if step is None:
        raise StepRefused
    given = body.model_dump(exclude_none=True)
    ensure_given(step, given)
    changes: dict[str, Any] = {}
    if action is Action.consult:
        changes = await consultation.begin(session, row, body)
    if action is Action.admit:
        changes = await _admit(session, caller, row, body)
    if action is Action.keep:
        changes = {"review_on": rules.a_year_after(today())}
    if action is Action.end:
        await cancel_timers(session, row.id, EXPIRE_TIMER, APPRAISE_TIMER)
    return await write(
        session, caller, row, action, step.to, reason=body.reason, told=step.told, **changes
    )


async def expire(session: AsyncSession, admission_id: UUID) -> None:
    """Timer: the last day of the approval has passed."""
    row = await repository.lock(session, admission_id)
    if row is not None and row.state == AdmissionState.admitted and row.valid_until < today():
        await cancel_timers(session, row.id, APPRAISE_TIMER)
        await write(session, None, row, "expire", AdmissionState.expired, told=True)


async def lock_admitted(session: AsyncSession, admission_id: UUID) -> Any | None:
    """An admission that is not over, locked; None when it is."""
    row = await repository.lock(session, admission_id)
    return row if row is not None and row.state == AdmissionState.admitted else None


async def count_cases(session: AsyncSession, item_id: UUID, county: str, since: date) -> int:
    """Cases of an item in a county from the month of a day on."""
    return await repository.count_cases(session, item_id, county, since)


async def end_by_proposal(
    session: AsyncSession, caller: Caller, admission_id: UUID, reason: str
) -> None:
    """End an admission because a proposal to do so was accepted; one that is over stays over."""
    row = await repository.lock(session, admission_id)
    if row is not None and row.state == AdmissionState.admitted:
        await cancel_timers(session, row.id, EXPIRE_TIMER, APPRAISE_TIMER)
        await write(
            session, caller, row, Action.end, AdmissionState.ended, reason=reason, told=True
        )


async def _admit(
    session: AsyncSession, caller: Caller, row: Any, body: AdmissionStep
) -> dict[str, Any]:
    assert body.valid_from is not None
    assert body.valid_until is not None
    if str(caller.account_id) == row.proposer:
        raise OwnProposal
    content = AdmissionContent.model_validate(
        {key: value for key, value in row.content.items() if key != "funds"}
    )
    found = rules.period_violations(
        body.valid_from,
        body.valid_until,
        today(),
        funds_until=Funds.model_validate(row.content["funds"]).until,
        basis_until=content.basis.until,
    )
    opinions = await repository.list_opinions(session, row.id)
    if body.reason is None and (
        any(not each.supports for each in opinions) or len(opinions) < len(row.townships)
    ):
        found.append(
            Violation(
                "/reason",
                "opinion-unanswered",
                "有乡镇不同意或者没有答复",
                "写明为什么仍然准入",
            )
        )
    refuse(found)
    cap = await repository.lock_cap(session, row.division_code, row.kind)
    if cap is None:
        raise CapMissing
    if rules.is_full(
        await repository.count_admitted(session, row.division_code, row.kind), cap.most
    ):
        raise CapReached
    await set_timer(session, EXPIRE_TIMER, row.id, night_after(body.valid_until))
    first = body.valid_from + timedelta(days=APPRAISE_DAYS)
    await set_timer(session, APPRAISE_TIMER, row.id, night_after(first))
    return {
        "approval_number": body.approval_number,
        "valid_from": body.valid_from,
        "valid_until": body.valid_until,
        "review_on": rules.a_year_after(body.valid_from),
    }


async def _lock(session: AsyncSession, admission_id: UUID, expected: int, caller: Caller) -> Any:
    row = await repository.lock(session, admission_id)
    return changeable(caller, row, expected, AdmissionNotFound)
