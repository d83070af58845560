"""Who may take a step with a rectification now: the one place that locks and checks."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongRole
from servicekit.errors import Conflict, NotFound, ServiceError
from servicekit.etags import StaleVersion
from servicekit.outbox import now
from services.evaluation.access import ensure_may_see, handles, supervises
from services.evaluation.calendar.rules import local_day
from services.evaluation.limits.service import limits_of
from services.evaluation.models import RectificationState
from services.evaluation.rectifications import repository
from services.evaluation.rectifications.repository import Matter
from services.evaluation.rectifications.rules import (
    Action,
    Actor,
    Facts,
    Refusal,
    is_overdue,
    refusal,
)
from services.evaluation.rectifications.transitions import Acting
from services.evaluation.settings import EvaluationSettings


class RectificationNotFound(NotFound):
    """Also for somebody else's rating."""

    code, title = "rectification-not-found", "没有找到这项整改"


class ActionNotPossible(Conflict):
    code, title = "action-not-possible", "现在不能进行这一步"


class CallBackByReplier(Conflict):
    code, title = "call-back-by-replier", "回访应由答复人以外的人进行"


class CalledTooSeldom(Conflict):
    code, title = "called-too-seldom", "在不同日期联系的次数还不够，不能按联系不上销号"


class NoExtensionLeft(Conflict):
    code, title = "no-extension-left", "期限已过或延期次数已用完，不能再延期"


class DisputeUnderWay(Conflict):
    code, title = "dispute-under-way", "申诉正在复核，复核后再办理"


_ERRORS: dict[Refusal, type[ServiceError]] = {
    Refusal.wrong_actor: WrongRole,
    Refusal.wrong_state: ActionNotPossible,
    Refusal.same_person: CallBackByReplier,
    Refusal.called_too_seldom: CalledTooSeldom,
    Refusal.no_extension_left: NoExtensionLeft,
    Refusal.disputed: DisputeUnderWay,
}


def actors_of(matter: Matter, caller: Caller) -> frozenset[Actor]:
    """In which capacities a staff member may act on a matter."""
    actors = set()
    if handles(caller, matter.facts.unit_code):
        actors.add(Actor.handler)
    if supervises(caller, matter.responsible_division):
        actors.add(Actor.supervisor)
    return frozenset(actors)


async def guard_facts(
    session: AsyncSession, matter: Matter, caller: Caller, settings: EvaluationSettings
) -> Facts:
    """What the guards look at when this person acts."""
    extensions = (await limits_of(session, matter.responsible_division, settings)).extensions
    state = RectificationState(matter.state)
    return Facts(
        state,
        is_replier=matter.replied_by == caller.account_id,
        missed_call_days=matter.missed_call_days,
        call_back_days=settings.call_back_days,
        extensions_left=extensions - matter.times_extended,
        is_overdue=is_overdue(state, matter.due_on, local_day(now())),
        is_disputed=matter.is_disputed,
    )


async def begin(session: AsyncSession, matter_id: UUID, action: Action, acting: Acting) -> Matter:
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
    facts = await guard_facts(session, matter, caller, acting.settings)
    reason = refusal(action, facts, actors_of(matter, caller))
    if reason is Refusal.wrong_actor:
        raise WrongRole
    if matter.version != acting.expected_version:
        raise StaleVersion
    if reason is not None:
        raise _ERRORS[reason](state=matter.state)
    return matter
