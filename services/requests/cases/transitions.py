"""The one way a case changes: state, history, timers, what lies beside it, notice and event."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.requests import CaseEvent
from servicekit import outbox
from servicekit.auth import Caller
from servicekit.timers import cancel_timers, set_timer
from services.requests.cases import repository
from services.requests.cases.effects import Dossier, Effect
from services.requests.cases.hooks import ON_ENDED
from services.requests.cases.rules import ENDED, TRANSITIONS, Action, Facts
from services.requests.clock.rules import LOCAL
from services.requests.documents.issuing import issue
from services.requests.metrics import TRANSITIONS as TRANSITIONS_COUNTER
from services.requests.models import CaseState

#: 作废办结、删除办结.
VOIDED = (2, 3)


async def load_dossier(session: AsyncSession, case_id: UUID, *, lock: bool) -> Dossier | None:
    """A case with what gathers round it; `lock` keeps others from changing it until the commit."""
    case = await repository.find_case(session, case_id, lock=lock)
    if case is None:
        return None
    notice = await repository.find_notice(session, case_id)
    return Dossier(case, notice, *await repository.list_beside(session, case_id))


def facts_of(dossier: Dossier, now: datetime, *, grants: bool = False) -> Facts:
    """What the guards look at."""
    case, notice = dossier.case, dossier.notice
    today = now.astimezone(LOCAL).date()
    return Facts(
        state=CaseState(case.state),
        has_notice=notice is not None,
        has_unit=case.unit_code is not None,
        is_taken=case.assignee_id is not None,
        correction_overdue=notice is not None and notice.answer_by < today,
        is_extended=case.extended_days > 0,
        opinions_wanted=sum(each.agrees is None for each in dossier.opinions),
        has_objection=any(each.agrees is False for each in dossier.opinions),
        has_deferred=bool(dossier.outstanding),
        has_commitment=dossier.commitment is not None,
        is_archived=case.archived_on is not None,
        was_decided=case.decided_on is not None,
        is_voided=case.result_code in VOIDED,
        grants=grants,
    )


async def apply(
    session: AsyncSession,
    case: Any,
    action: Action,
    effect: Effect,
    *,
    caller: Caller | None,
    now: datetime,
) -> int:
    """Write a transition of a locked case; return its new version."""
    target = TRANSITIONS[action].leads_to(CaseState(case.state))
    version: int = case.version + 1
    changes = effect.changes | {"state": target, "version": version}
    await repository.update_case(session, case.id, changes)
    await repository.append_history(session, _entry(case, action, effect, changes, caller, now))
    for write in effect.writes:
        await repository.write_beside(session, write.table, write.values, write.where)
    if effect.cancel:
        await cancel_timers(session, case.id, *effect.cancel)
    for kind, due_at in effect.timers.items():
        await set_timer(session, kind, case.id, due_at)
    for kind, subject_id, due_at in effect.other_timers:
        await set_timer(session, kind, subject_id, due_at)
    if effect.document is not None:
        kind, facts = effect.document.kind, effect.document.facts
        await issue(session, case, kind, facts, case_version=version, now=now)
    if effect.took_days is not None and case.unit_code is not None:
        await repository.count_duration(session, case.item_id, case.unit_code, effect.took_days)
    if effect.event is not None:
        await outbox.record(session, event_of(case, effect, changes, caller, now))
    if target in ENDED and case.state not in ENDED:
        for hook in ON_ENDED:
            await hook(session, case.id, now)
    TRANSITIONS_COUNTER.labels(action).inc()
    return version


def _entry(
    case: Any,
    action: Action,
    effect: Effect,
    changes: dict[str, Any],
    caller: Caller | None,
    now: datetime,
) -> dict[str, Any]:
    return {
        "case_id": case.id,
        "version": changes["version"],
        "action": action,
        "from_state": case.state,
        "to_state": changes["state"],
        "actor_id": caller.account_id if caller else None,
        "actor_name": caller.name if caller and not caller.is_resident else None,
        "actor_unit": caller.unit if caller else None,
        "note": effect.note,
        "happened_at": now,
    }


def event_of(
    case: Any, effect: Effect, changes: dict[str, Any], caller: Caller | None, now: datetime
) -> CaseEvent:
    """The fact that an act leaves, with the case as it is afterwards."""
    assert effect.event is not None
    fields = {
        "request_id": case.request_id,
        "request_number": case.request_number,
        "applicant_id": case.applicant_id,
        "division_code": case.division_code,
        "occurred_at": now,
        "case_id": case.id,
        "case_number": case.case_number,
        "case_version": changes["version"],
        "item_id": case.item_id,
        "item_code": case.item_code,
        "item_name": case.item_name,
        "item_version": case.item_version,
        "unit_code": changes.get("unit_code", case.unit_code),
        "unit_name": changes.get("unit_name", case.unit_name),
        "due_on": changes.get("due_on", case.due_on),
        **effect.event_fields,
    }
    if "handler_name" in effect.event.model_fields:
        fields["handler_name"] = caller.name if caller else None
        fields["handler_id"] = caller.account_id if caller else None
    return effect.event(**fields)
