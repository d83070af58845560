"""How a rectification changes: one transition with its history, and the limit that runs anew."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import RectificationClosed, RectificationReopened
from servicekit.auth import Caller
from servicekit.identifiers import new_id
from servicekit.outbox import record
from servicekit.personal_data import Cipher
from services.evaluation.calendar.rules import local_day
from services.evaluation.calendar.service import due_after
from services.evaluation.free_text import STEP_NOTE
from services.evaluation.metrics import RECTIFICATION_STEPS
from services.evaluation.models import Outcome
from services.evaluation.rectifications import repository
from services.evaluation.rectifications.repository import Matter
from services.evaluation.rectifications.rules import TRANSITIONS, Action
from services.evaluation.scores import service as scores
from services.evaluation.settings import EvaluationSettings


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
    """Make a transition and append it to the history."""
    target, version = TRANSITIONS[action].target, matter.version + 1
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
    RECTIFICATION_STEPS.labels(action.value).inc()


async def limit(
    session: AsyncSession, start: datetime, settings: EvaluationSettings
) -> dict[str, Any]:
    first, days = local_day(start), settings.rectification_days
    due_on = await due_after(session, first, days)
    return {"limit_from": first, "limit_days": days, "due_on": due_on}


async def reopening(
    session: AsyncSession, matter: Matter, at: datetime, settings: EvaluationSettings
) -> dict[str, Any]:
    """A new limit; the last reply stays to be read."""
    return {
        **await limit(session, at, settings),
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
) -> None:
    await record(
        session,
        RectificationReopened(
            **matter.facts.event_fields(at),
            rectification_id=matter.id,
            reason=reason,
            due_on=due_on,
        ),
    )


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
