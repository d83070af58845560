"""What the clock does to cases: silence accepts, limits come near and pass, cases are archived."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.requests import CaseEscalated, CaseFollowUpDue
from servicekit import outbox
from services.requests.cases import repository
from services.requests.cases.effects import (
    ARCHIVE,
    DELIVERY,
    FOLLOW_UP,
    FOLLOW_UP_NEAR,
    LAPSE,
    NEAR,
    PASSED,
    PAUSE_END,
    SILENCE,
    Effect,
    Missed,
    accepted,
)
from services.requests.cases.hooks import ON_ARCHIVED
from services.requests.cases.rules import DONE, OPEN, Action
from services.requests.cases.system import act_by_system, moment_now
from services.requests.cases.transitions import VOIDED, apply, event_of, load_dossier
from services.requests.metrics import DEADLINES
from services.requests.models import CaseState, Light
from services.requests.supervision.service import issue

#: States in which something told to the applicant is still to come.
AWAITED = frozenset({CaseState.paused, CaseState.decided, CaseState.completed})

#: Whether the case is paused → what was not kept.
_BROKEN = {
    True: ("special-procedure", "特别程序超过书面告知的时间"),
    False: ("delivery", "决定作出后超过十个工作日未送达"),
}


async def deem_accepted(session: AsyncSession, case_id: UUID) -> None:
    """视为受理: five working days of silence accept a case from the day it was received.

    Source: 行政许可法 art. 32 (4).
    """
    dossier = await load_dossier(session, case_id, lock=True)
    if dossier is None or dossier.case.state != CaseState.received:
        return
    case = dossier.case
    moment = await moment_now(session, case.division_code)
    on = case.received_on or moment.today
    effect = accepted(dossier, on, moment, note="逾期未告知，视为受理", deemed=True)
    await apply(session, case, Action.deem_accepted, effect, caller=None, now=moment.now)


async def lapse(session: AsyncSession, case_id: UUID) -> None:
    """补正不来: the day by which a notice had to be answered is over."""
    await act_by_system(session, case_id, Action.lapse, None)


async def archive(session: AsyncSession, case_id: UUID) -> None:
    """归档: a case has been over for long enough."""
    if await act_by_system(session, case_id, Action.archive, None):
        for hook in ON_ARCHIVED:
            await hook(session, case_id, datetime.now(UTC))


async def promise_broken(session: AsyncSession, case_id: UUID) -> None:
    """A decision was not delivered in time, or a special procedure takes longer than was told."""
    case = await repository.find_case(session, case_id, lock=True)
    if case is None or case.state not in AWAITED:
        return
    is_paused = case.state == CaseState.paused
    cause, what = _BROKEN[is_paused]
    await issue(session, case, cause, what)


async def follow_up_due(session: AsyncSession, follow_up_id: UUID) -> None:
    """The day of a deferred material has passed."""
    follow_up = await repository.find_follow_up(session, follow_up_id)
    if follow_up is None or follow_up.ended_at is not None or follow_up.outcome is not None:
        return
    if follow_up.kind == "deferred-material":
        missed = Missed(follow_up_id, follow_up.material_code, follow_up.what)
        await act_by_system(session, follow_up.case_id, Action.miss_follow_up, missed)
        return
    case = await repository.find_case(session, follow_up.case_id, lock=True)
    follow_up = await repository.find_follow_up(session, follow_up_id)
    if case is None or follow_up is None or not _is_awaited(case, follow_up):
        return
    await _remind(session, case, follow_up_id, follow_up, overdue=True)
    await issue(session, case, "commitment", f"承诺到期未核查：{follow_up.what}")


async def follow_up_near(session: AsyncSession, follow_up_id: UUID) -> None:
    """The day of a deferred material or of the check of a commitment comes near."""
    follow_up = await repository.find_follow_up(session, follow_up_id)
    if follow_up is None or follow_up.ended_at is not None or follow_up.outcome is not None:
        return
    case = await repository.find_case(session, follow_up.case_id)
    if case is None or follow_up.due_on is None or not _is_awaited(case, follow_up):
        return
    await _remind(session, case, follow_up_id, follow_up, overdue=False)


def _is_awaited(case: Any, follow_up: Any) -> bool:
    """Whether what was promised still matters: nothing does of a case withdrawn or made void.

    A commitment is checked even after completion; a material is wanted for the decision.
    """
    if follow_up.ended_at is not None or case.result_code in VOIDED:
        return False
    is_check = follow_up.kind == "commitment"
    return case.state in OPEN or (is_check and case.state in DONE)


async def _remind(
    session: AsyncSession, case: Any, follow_up_id: UUID, follow_up: Any, *, overdue: bool
) -> None:
    effect = Effect(
        event=CaseFollowUpDue,
        event_fields={
            "follow_up_id": follow_up_id,
            "kind": follow_up.kind,
            "what": follow_up.what,
            "follow_up_due_on": follow_up.due_on,
            "overdue": overdue,
        },
    )
    now = datetime.now(UTC)
    await outbox.record(session, event_of(case, effect, {"version": case.version}, None, now))
    DEADLINES.labels(FOLLOW_UP if overdue else FOLLOW_UP_NEAR).inc()


async def deadline_near(session: AsyncSession, case_id: UUID) -> None:
    """The light of a limit turns yellow."""
    await _escalate(session, case_id, Light.yellow)


async def deadline_passed(session: AsyncSession, case_id: UUID) -> None:
    """A limit has passed with the case still open."""
    await _escalate(session, case_id, Light.red)


async def _escalate(session: AsyncSession, case_id: UUID, light: Light) -> None:
    case = await repository.find_case(session, case_id, lock=True)
    if case is None or case.state not in OPEN or case.state == CaseState.paused:
        return
    await repository.update_case(session, case_id, {"light": light})
    await _tell(session, case, overdue=light is Light.red)
    if light is Light.red:
        await issue(session, case, "overdue", "办件超过承诺办结时限")


async def _tell(session: AsyncSession, case: Any, *, overdue: bool) -> None:
    effect = Effect(event=CaseEscalated, event_fields={"overdue": overdue})
    now = datetime.now(UTC)
    await outbox.record(session, event_of(case, effect, {"version": case.version}, None, now))
    DEADLINES.labels(PASSED if overdue else NEAR).inc()


TIMERS = {
    SILENCE: deem_accepted,
    NEAR: deadline_near,
    PASSED: deadline_passed,
    LAPSE: lapse,
    ARCHIVE: archive,
    FOLLOW_UP: follow_up_due,
    FOLLOW_UP_NEAR: follow_up_near,
    DELIVERY: promise_broken,
    PAUSE_END: promise_broken,
}
