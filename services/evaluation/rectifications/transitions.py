"""How a rectification changes: one transition with its history, and the limit that runs anew."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import (
    CaseReopenRequested,
    RectificationClosed,
    RectificationReopened,
)
from servicekit.auth import Caller
from servicekit.identifiers import new_id
from servicekit.outbox import record
from servicekit.personal_data import Cipher
from servicekit.timers import cancel_timers, set_timer
from services.evaluation.calendar.rules import WorkingCalendar, end_of, local_day
from services.evaluation.calendar.service import add, calendar_of
from services.evaluation.free_text import STEP_NOTE
from services.evaluation.limits.service import limits_of
from services.evaluation.metrics import RECTIFICATION_STEPS
from services.evaluation.models import Outcome, RectificationState, ServiceNumber
from services.evaluation.rectifications import repository
from services.evaluation.rectifications.repository import Matter
from services.evaluation.rectifications.rules import LIMITED, TRANSITIONS, Action
from services.evaluation.scores import service as scores
from services.evaluation.settings import EvaluationSettings

#: Timers: the reply is late, the call-back is late.
OVERDUE, CALL_BACK_DUE = "rectification-overdue", "call-back-due"


@dataclass(frozen=True, slots=True)
class Acting:
    """Who takes a step, on which version of the matter, under which rules."""

    caller: Caller
    expected_version: int
    cipher: Cipher
    settings: EvaluationSettings


async def step(
    session: AsyncSession,
    matter: Matter,
    action: Action,
    values: dict[str, Any],
    *,
    at: datetime,
    acting: Acting | None = None,
    note: str | None = None,
) -> None:
    """Make a transition, append it to the history, and keep its timers."""
    target = TRANSITIONS[action].leads_to(RectificationState(matter.state))
    version = matter.version + 1
    await repository.change(session, matter.id, {**values, "state": target, "version": version})
    caller = acting.caller if acting else None
    await repository.append_step(
        session,
        {
            "id": new_id(),
            "rectification_id": matter.id,
            "version": version,
            "action": action,
            "from_state": matter.state,
            "to_state": target,
            "actor_id": caller.account_id if caller else None,
            "actor_name": caller.name if caller else None,
            "actor_unit": caller.unit if caller else None,
            "note": acting.cipher.encrypt(note, STEP_NOTE.context) if acting and note else None,
            "happened_at": at,
        },
    )
    scores.touch(session, matter.facts.evaluable_id)
    if target in LIMITED and "due_on" in values:
        await watch(session, matter.id, values["due_on"])
    elif target not in LIMITED:
        await cancel_timers(session, matter.id, OVERDUE)
    if target is not RectificationState.replied:
        await cancel_timers(session, matter.id, CALL_BACK_DUE)
    RECTIFICATION_STEPS.labels(action.value).inc()


async def limit(
    session: AsyncSession, start: datetime, division_code: str, settings: EvaluationSettings
) -> dict[str, Any]:
    """A limit that starts: its days, its end, and the day from which the light is yellow."""
    limits = await limits_of(session, division_code, settings)
    first, days = local_day(start), limits.rectification_days
    calendar = await calendar_of(session, first, division_code)
    return {
        "limit_from": first,
        "limit_days": days,
        **running(calendar, first, days, limits.warn_days),
    }


def running(calendar: WorkingCalendar, first: date, days: int, warn_days: int) -> dict[str, Any]:
    """End and warning of a limit of working days after a day; both None in a year nobody recorded."""
    due_on = add(calendar, first, days)
    warn_on = add(calendar, first, max(days - warn_days, 0)) if due_on else None
    return {"due_on": due_on, "warn_on": warn_on}


async def watch(session: AsyncSession, matter_id: UUID, due_on: date | None) -> None:
    """Escalate when the limit passes without a reply; nothing to watch without a date."""
    if due_on is None:
        await cancel_timers(session, matter_id, OVERDUE)
    else:
        await set_timer(session, OVERDUE, matter_id, end_of(due_on))


async def reopening(
    session: AsyncSession, matter: Matter, at: datetime, settings: EvaluationSettings
) -> dict[str, Any]:
    """A new limit; the last reply stays to be read."""
    return {
        **await limit(session, at, matter.responsible_division, settings),
        "escalated_at": None,
        "call_back_due_on": None,
        "times_reopened": matter.times_reopened + 1,
        "fix_by": None,
        "solved": None,
        "outcome": None,
        "closed_at": None,
    }


async def tell_reopened(
    session: AsyncSession,
    matter: Matter,
    reason: Literal["call-back", "rating"],
    due_on: date | None,
    at: datetime,
    *,
    asks_for_case: bool = True,
) -> None:
    """Tell of a reopened matter; a completed case is asked to be taken up again."""
    told = {**matter.facts.event_fields(at), "rectification_id": matter.id, "reason": reason}
    await record(session, RectificationReopened(**told, due_on=due_on))
    if asks_for_case and matter.facts.service_number == ServiceNumber.completion:
        await record(session, CaseReopenRequested(**told))


async def tell_closed(
    session: AsyncSession, matter: Matter, outcome: Outcome, at: datetime
) -> None:
    await record(
        session,
        RectificationClosed(
            **matter.facts.event_fields(at),
            rectification_id=matter.id,
            solved=outcome is Outcome.solved,
            outcome=outcome.value,
        ),
    )
