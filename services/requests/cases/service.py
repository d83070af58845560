"""What people and the clock do to cases: one transition engine for all of it."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit import outbox
from servicekit.auth import Caller, WrongDivision, WrongPerson, WrongRole, WrongUnit
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.etags import StaleVersion
from servicekit.personal_data import Cipher
from servicekit.timers import cancel_timers, set_timer
from services.requests.cases import repository
from services.requests.cases.effects import EFFECTS, Effect, deadline_timers, moment_of
from services.requests.cases.rules import (
    TRANSITIONS,
    Action,
    Actor,
    Facts,
    Refusal,
    possible,
    refusal,
)
from services.requests.cases.schemas import ActionBody, CaseRead, Dispatch, HistoryEntry, NoticeRead
from services.requests.clock.rules import LOCAL
from services.requests.clock.service import due_after, load_calendars, promise
from services.requests.disclosures.rules import shown, sight_of
from services.requests.metrics import TRANSITIONS as TRANSITIONS_COUNTER
from services.requests.models import CaseState
from services.requests.reference.service import Reference
from services.requests.settings import RequestsSettings
from services.requests.submissions.reading import person_of
from services.requests.submissions.standing import acts_for, speaks_for

FILL_BATCH = 500
READERS = frozenset({"window-clerk", "handler", "supervisor", "village-agent", "auditor"})
ANSWER = "correction_notice.answer"


class CaseNotFound(NotFound):
    code, title = "case-not-found", "没有找到这个办件"


class ActionImpossible(Conflict):
    code, title = "action-impossible", "办件当前的状态不能这样处理"


class NoticeGivenAlready(Conflict):
    code, title = "notice-given-already", "补正内容只能一次告知，不能再次要求补正"


class NoUnitYet(Conflict):
    code, title = "no-unit-yet", "办件还没有办理单位，请先派单"


class UnitUnknown(Invalid):
    code, title = "unit-unknown", "没有这个办理单位"


_REFUSALS = {
    Refusal.wrong_state: ActionImpossible,
    Refusal.notice_given_already: NoticeGivenAlready,
    Refusal.no_unit_yet: NoUnitYet,
}


async def get_case(
    session: AsyncSession, cipher: Cipher, *, case_id: UUID, caller: Caller
) -> CaseRead:
    """A case as this caller may see it.

    Raises:
        CaseNotFound, WrongPerson, WrongRole, WrongDivision.
    """
    case = await repository.find_case(session, case_id)
    if case is None:
        raise CaseNotFound
    ensure_may_read(case, caller)
    notice = await repository.find_notice(session, case_id)
    history = await repository.list_history(session, case_id)
    is_own = speaks_for(case, caller)
    person = shown(person_of(cipher, case), sight_of(caller, is_own=is_own))
    facts = _facts(case, notice)
    return CaseRead(
        **{field: getattr(case, field) for field in _SHOWN},
        applicant_name=person.name,
        applicant_identity_number=person.identity_number,
        applicant_mobile=person.mobile,
        correction=NoticeRead.model_validate(notice, from_attributes=True) if notice else None,
        history=[HistoryEntry.model_validate(entry, from_attributes=True) for entry in history],
        possible_actions=possible(facts, actors_of(case, caller)),
    )


_SHOWN = (
    "id", "case_number", "item_code", "item_name", "division_code", "unit_code", "unit_name",
    "state", "version", "received_on", "due_on", "request_id", "request_number", "promised_days",
    "promised_unit", "accepted_on", "completed_on", "result_code", "granted",
)  # fmt: skip


def ensure_may_read(case: Any, caller: Caller) -> None:
    """Residents see their own; staff what lies in their division or unit.

    Raises:
        WrongPerson, WrongRole, WrongDivision.
    """
    if caller.is_resident:
        if not speaks_for(case, caller):
            raise WrongPerson
        return
    if caller.roles.isdisjoint(READERS):
        raise WrongRole
    if not caller.covers(case.division_code) and caller.unit != case.unit_code:
        raise WrongDivision


def actors_of(case: Any, caller: Caller) -> frozenset[Actor]:
    """In which capacities a caller may act on a case."""
    covers = caller.covers(case.division_code)
    today = datetime.now(LOCAL).date()
    capacities = {
        Actor.applicant: acts_for(case, caller, today),
        Actor.window: caller.has("window-clerk") and covers,
        Actor.handler: caller.has("handler")
        and case.unit_code is not None
        and caller.unit == case.unit_code,
        Actor.supervisor: caller.has("supervisor") and covers,
    }
    return frozenset(actor for actor, holds in capacities.items() if holds)


async def act(
    session: AsyncSession,
    reference: Reference,
    settings: RequestsSettings,
    cipher: Cipher,
    *,
    case_id: UUID,
    expected_version: int,
    caller: Caller,
    action: Action,
    body: ActionBody,
) -> int:
    """Take one step with a case; return its new version.

    Raises:
        CaseNotFound, WrongPerson, WrongUnit, WrongDivision, WrongRole: nobody may, or not this one.
        StaleVersion: somebody else was first.
        ActionImpossible, NoticeGivenAlready, NoUnitYet, UnitUnknown.

    Concurrency: locks the case's row.
    """
    case = await repository.find_case(session, case_id, lock=True)
    if case is None:
        raise CaseNotFound
    notice = await repository.find_notice(session, case_id)
    actors = actors_of(case, caller)
    reason = refusal(action, _facts(case, notice), actors)
    if reason is Refusal.wrong_actor:
        raise _forbidden(case, caller, action)
    if case.version != expected_version:
        raise StaleVersion
    if reason is not None:
        raise _REFUSALS[reason]
    if isinstance(body, Dispatch) and body.unit_code not in reference.units:
        raise UnitUnknown
    now = datetime.now(UTC)
    calendar = reference.calendars.of(case.division_code)
    moment = moment_of(now, calendar, settings.office_closes_at, settings.correction_days)
    effect = EFFECTS[action](case, body, moment)
    if isinstance(body, Dispatch):
        effect.changes["unit_name"] = reference.units[body.unit_code]
    if effect.notice_answer is not None:
        sealed = cipher.encrypt(effect.notice_answer, ANSWER)
        await repository.answer_notice(session, case_id, {"answered_at": now, "answer": sealed})
    return await apply(session, case, action, effect, caller=caller, now=now)


async def apply(
    session: AsyncSession,
    case: Any,
    action: Action,
    effect: Effect,
    *,
    caller: Caller | None,
    now: datetime,
) -> int:
    """Write a transition of a locked case with its history, timers and event."""
    target = TRANSITIONS[action].target
    version: int = case.version + 1
    changes = effect.changes | {"state": target, "version": version}
    await repository.update_case(session, case.id, changes)
    await repository.append_history(
        session,
        {
            "case_id": case.id,
            "version": version,
            "action": action,
            "from_state": case.state,
            "to_state": target,
            "actor_id": caller.account_id if caller else None,
            "actor_name": caller.name if caller and not caller.is_resident else None,
            "actor_unit": caller.unit if caller else None,
            "note": effect.note,
            "happened_at": now,
        },
    )
    if effect.notice is not None:
        await repository.insert_notice(session, {"case_id": case.id, **effect.notice})
    if effect.cancel:
        await cancel_timers(session, case.id, *effect.cancel)
    for kind, due_at in effect.timers.items():
        await set_timer(session, kind, case.id, due_at)
    if effect.event is not None:
        await outbox.record(session, event_of(case, effect, changes, caller, now))
    TRANSITIONS_COUNTER.labels(action).inc()
    return version


def event_of(
    case: Any, effect: Effect, changes: dict[str, Any], caller: Caller | None, now: datetime
) -> Any:
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


def _facts(case: Any, notice: Any | None) -> Facts:
    return Facts(CaseState(case.state), notice is not None, case.unit_code is not None)


def _forbidden(case: Any, caller: Caller, action: Action) -> Exception:
    """Which permission is missing, as closely as can be told."""
    if caller.is_resident:
        return WrongRole() if acts_for(case, caller, datetime.now(LOCAL).date()) else WrongPerson()
    wanted = TRANSITIONS[action].actors
    if Actor.handler in wanted and caller.has("handler"):
        return WrongUnit()
    by_division = {Actor.window: "window-clerk", Actor.supervisor: "supervisor"}
    if any(actor in wanted and caller.has(role) for actor, role in by_division.items()):
        return WrongDivision()
    return WrongRole()


async def fill_missing_due_dates(session: AsyncSession, closes_at: time) -> int:
    """Give open cases the dates a missing calendar year withheld; return how many got one."""
    calendars = await load_calendars(session)
    filled = 0
    for case in await repository.list_without_due_date(session, FILL_BATCH):
        calendar = calendars.of(case.division_code)
        if case.accepted_on is not None:
            received, due = (
                case.received_on,
                due_after(calendar, case.accepted_on, case.promised_days, case.promised_unit),
            )
        else:
            promised = promise(
                calendar,
                submitted_at=case.submitted_at,
                closes_at=closes_at,
                days=case.promised_days,
                unit=case.promised_unit,
            )
            received, due = promised.received_on, promised.due_on
        if due is None:
            continue
        changes = {"received_on": case.received_on or received, "due_on": due}
        await repository.update_case(session, case.id, changes)
        if case.accepted_on is not None:
            for kind, due_at in deadline_timers(due).items():
                await set_timer(session, kind, case.id, due_at)
        filled += 1
    return filled
