"""The steps staff take with a rectification, from 核实 to 回访."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import RectificationReplied
from servicekit.auth import Caller, WrongRole
from servicekit.errors import Conflict, Invalid, ServiceError
from servicekit.etags import StaleVersion
from servicekit.outbox import now, record
from services.evaluation.access import ensure_may_see, handles, supervises
from services.evaluation.calendar.rules import local_day
from services.evaluation.calendar.service import due_after
from services.evaluation.free_text import BANK_CARD, IDENTITY_NUMBER, screen
from services.evaluation.models import Outcome, RectificationState
from services.evaluation.rectifications import repository
from services.evaluation.rectifications.repository import Matter
from services.evaluation.rectifications.rules import (
    BRANCHES,
    Action,
    Actor,
    Facts,
    Refusal,
    call_back_outcome,
    missed_call_days,
    refusal,
)
from services.evaluation.rectifications.schemas import CallBack, FixByDate, Reply
from services.evaluation.rectifications.service import RectificationNotFound
from services.evaluation.rectifications.transitions import (
    Acting,
    reopening,
    step,
    tell_closed,
    tell_reopened,
)
from services.evaluation.settings import EvaluationSettings


class ActionNotPossible(Conflict):
    code, title = "action-not-possible", "现在不能进行这一步"


class CallBackByReplier(Conflict):
    code, title = "call-back-by-replier", "回访应由答复人以外的人进行"


class CalledTooSeldom(Conflict):
    code, title = "called-too-seldom", "在不同日期联系的次数还不够，不能按联系不上销号"


class CallBackContradictory(Invalid):
    code, title = "call-back-contradictory", "联系到评价人时须填写是否解决，未联系到时不得填写"


class FixByOutOfRange(Invalid):
    code, title = "fix-by-out-of-range", "承诺日期已过或超出限期整改的最长期限"


class ReplyHoldsPersonalNumber(Invalid):
    code, title = "reply-holds-personal-number", "答复中不能写身份证号或银行卡号"


_ERRORS: dict[Refusal, type[ServiceError]] = {
    Refusal.wrong_actor: WrongRole,
    Refusal.wrong_state: ActionNotPossible,
    Refusal.same_person: CallBackByReplier,
    Refusal.called_too_seldom: CalledTooSeldom,
}


async def take(
    session: AsyncSession, matter_id: UUID, action: Action, acting: Acting, *, note: str
) -> None:
    """核实, 立行立改, 解释说明 or closing unreached: a step that needs only a note.

    Raises:
        RectificationNotFound, WrongRole, WrongUnit, WrongDivision, StaleVersion, ActionNotPossible,
        CallBackByReplier, CalledTooSeldom: see `_begin`.
    """
    matter, at = await _begin(session, matter_id, action, acting), now()
    values: dict[str, Any] = {}
    if action in BRANCHES:
        values = {"branch": BRANCHES[action], "fix_by": None}
    if action is Action.close_unreached:
        values = {"solved": False, "outcome": Outcome.unreached, "closed_at": at}
    await step(session, matter, action, values, at=at, acting=acting, note=note)
    if action is Action.close_unreached:
        await tell_closed(session, matter, Outcome.unreached, at)


async def fix_by_date(
    session: AsyncSession, matter_id: UUID, body: FixByDate, acting: Acting
) -> None:
    """限期整改: the promised date becomes the due date.

    Raises:
        FixByOutOfRange: it is past, or later than the longest limit.
        RectificationNotFound, WrongRole, …: see `_begin`.
    """
    matter, at = await _begin(session, matter_id, Action.fix_by_date, acting), now()
    today = local_day(at)
    days = acting.settings.fix_by_days
    # While a calendar year is missing, twice as many calendar days are a loose bound.
    latest = await due_after(session, today, days) or today + timedelta(days=2 * days)
    if not today <= body.fix_by <= latest:
        raise FixByOutOfRange(latest=latest)
    values = {
        "branch": BRANCHES[Action.fix_by_date],
        "fix_by": body.fix_by,
        "due_on": body.fix_by,
    }
    await step(session, matter, Action.fix_by_date, values, at=at, acting=acting, note=body.note)


async def reply(session: AsyncSession, matter_id: UUID, body: Reply, acting: Acting) -> None:
    """反馈: the resident is told what was done, and may rate again from now on.

    Raises:
        ReplyHoldsPersonalNumber: an identity or card number stands in the text.
        RectificationNotFound, WrongRole, …: see `_begin`.
    """
    matter, at = await _begin(session, matter_id, Action.reply, acting), now()
    if {IDENTITY_NUMBER, BANK_CARD} & set(screen(body.reply).findings):
        raise ReplyHoldsPersonalNumber
    values = {
        "reply": body.reply,
        "replied_at": at,
        "replied_by": acting.caller.account_id,
        "rerate_until": local_day(at) + timedelta(days=acting.settings.supplement_days),
        "missed_call_days": 0,
        "last_missed_on": None,
    }
    await step(session, matter, Action.reply, values, at=at, acting=acting)
    await record(
        session,
        RectificationReplied(
            **matter.facts.event_fields(at), rectification_id=matter.id, reply=body.reply
        ),
    )


async def call_back(session: AsyncSession, matter_id: UUID, body: CallBack, acting: Acting) -> None:
    """回访: solved closes, unsolved reopens, a call in vain is counted by the day.

    Raises:
        CallBackContradictory: solved or not without having reached anybody, or the reverse.
        RectificationNotFound, WrongRole, …: see `_begin`.
    """
    action = call_back_outcome(reached=body.reached, solved=body.solved)
    if action is None:
        raise CallBackContradictory
    matter, at = await _begin(session, matter_id, action, acting), now()
    values: dict[str, Any]
    if action is Action.confirm_solved:
        values = {"solved": True, "outcome": Outcome.solved, "closed_at": at}
    elif action is Action.find_unsolved:
        values = await reopening(session, matter, at, acting.settings)
    else:
        today = local_day(at)
        missed = missed_call_days(matter.missed_call_days, matter.last_missed_on, today)
        values = {"missed_call_days": missed, "last_missed_on": today}
    await step(session, matter, action, values, at=at, acting=acting, note=body.note)
    if action is Action.confirm_solved:
        await tell_closed(session, matter, Outcome.solved, at)
    elif action is Action.find_unsolved:
        await tell_reopened(session, matter, "call-back", values["due_on"], at)


def actors_of(matter: Matter, caller: Caller) -> frozenset[Actor]:
    """In which capacities a staff member may act on a matter."""
    actors = set()
    if handles(caller, matter.facts.unit_code):
        actors.add(Actor.handler)
    if supervises(caller, matter.responsible_division):
        actors.add(Actor.supervisor)
    return frozenset(actors)


def guard_facts(matter: Matter, caller: Caller, settings: EvaluationSettings) -> Facts:
    """What the guards look at when this person acts."""
    return Facts(
        RectificationState(matter.state),
        is_replier=matter.replied_by == caller.account_id,
        missed_call_days=matter.missed_call_days,
        call_back_days=settings.call_back_days,
    )


async def _begin(session: AsyncSession, matter_id: UUID, action: Action, acting: Acting) -> Matter:
    """Lock a matter for a step.

    Raises:
        RectificationNotFound: there is none.
        WrongUnit, WrongDivision: it is not the caller's.
        WrongRole: the step is not the caller's to take.
        StaleVersion: somebody was quicker.
        ActionNotPossible, CallBackByReplier, CalledTooSeldom: not now, or not by this person.
    """
    matter = await repository.lock(session, matter_id)
    if matter is None:
        raise RectificationNotFound
    caller = acting.caller
    ensure_may_see(caller, matter.facts.unit_code, matter.responsible_division)
    facts = guard_facts(matter, caller, acting.settings)
    reason = refusal(action, facts, actors_of(matter, caller))
    if reason is Refusal.wrong_actor:
        raise WrongRole
    if matter.version != acting.expected_version:
        raise StaleVersion
    if reason is not None:
        raise _ERRORS[reason](state=matter.state)
    return matter
