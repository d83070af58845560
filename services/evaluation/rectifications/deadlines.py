"""Timers of rectifications: what is late goes up to supervision, once."""

from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import RectificationEscalated
from servicekit.outbox import now, record
from servicekit.timers import TimerHandler
from services.evaluation.calendar.rules import local_day
from services.evaluation.models import RectificationState
from services.evaluation.rectifications import repository
from services.evaluation.rectifications.rules import Action, is_overdue
from services.evaluation.rectifications.transitions import CALL_BACK_DUE, OVERDUE, step


async def reply_is_late(session: AsyncSession, matter_id: UUID) -> None:
    """逾期未反馈: escalate, unless the limit was moved, the unit replied, or a ruling is awaited."""
    matter = await repository.lock(session, matter_id)
    if matter is None or matter.due_on is None or matter.is_disputed:
        return
    if is_overdue(RectificationState(matter.state), matter.due_on, local_day(now())):
        await _escalate(session, matter, "reply")


async def call_back_is_late(session: AsyncSession, matter_id: UUID) -> None:
    """逾期未回访: escalate, unless the resident was reached or called in vain."""
    matter = await repository.lock(session, matter_id)
    if matter is None or matter.call_back_due_on is None or matter.missed_call_days > 0:
        return
    is_late = local_day(now()) > matter.call_back_due_on
    if matter.state == RectificationState.replied and is_late:
        await _escalate(session, matter, "call-back")


async def _escalate(
    session: AsyncSession, matter: repository.Matter, late: Literal["reply", "call-back"]
) -> None:
    at, due_on = now(), matter.due_on if late == "reply" else matter.call_back_due_on
    await step(session, matter, Action.escalate, {"escalated_at": at}, at=at)
    await record(
        session,
        RectificationEscalated(
            **matter.facts.event_fields(at),
            rectification_id=matter.id,
            late=late,
            due_on=due_on,
        ),
    )


TIMERS: dict[str, TimerHandler] = {OVERDUE: reply_is_late, CALL_BACK_DUE: call_back_is_late}
