"""The steps staff take with a rectification, from 核实 to 回访."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import RectificationExtended, RectificationReplied
from servicekit.errors import Conflict, Invalid
from servicekit.outbox import now, record
from servicekit.timers import set_timer
from services.evaluation.calendar.rules import end_of, local_day
from services.evaluation.calendar.service import calendar_of, due_after
from services.evaluation.free_text import BANK_CARD, IDENTITY_NUMBER, screen
from services.evaluation.limits.service import limits_of
from services.evaluation.models import Outcome
from services.evaluation.rectifications.acting import begin
from services.evaluation.rectifications.repository import Matter
from services.evaluation.rectifications.rules import (
    BRANCHES,
    Action,
    call_back_outcome,
    missed_call_days,
)
from services.evaluation.rectifications.schemas import CallBack, Extension, FixByDate, Reply
from services.evaluation.rectifications.transitions import (
    CALL_BACK_DUE,
    Acting,
    reopening,
    running,
    step,
    tell_closed,
    tell_reopened,
)


class ExtensionTooLong(Invalid):
    code, title = "extension-too-long", "超出本区划每次延期的最长天数"


class DueDateUnknown(Conflict):
    code, title = "due-date-unknown", "工作日历缺失，期限未定，不能延期"


class CallBackContradictory(Invalid):
    code, title = "call-back-contradictory", "联系到评价人时须填写是否解决，未联系到时不得填写"


class FixByOutOfRange(Invalid):
    code, title = "fix-by-out-of-range", "承诺日期已过或超出限期整改的最长期限"


class ReplyHoldsPersonalNumber(Invalid):
    code, title = "reply-holds-personal-number", "答复中不能写身份证号或银行卡号"


async def take(
    session: AsyncSession, matter_id: UUID, action: Action, acting: Acting, *, note: str
) -> None:
    """核实, 立行立改, 解释说明 or closing unreached: a step that needs only a note.

    Raises:
        RectificationNotFound, WrongRole, WrongUnit, WrongDivision, StaleVersion, ActionNotPossible,
        CallBackByReplier, CalledTooSeldom: see `begin`.
    """
    matter, at = await begin(session, matter_id, action, acting), now()
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
        RectificationNotFound, WrongRole, …: see `begin`.
    """
    matter, at = await begin(session, matter_id, Action.fix_by_date, acting), now()
    today = local_day(at)
    division = matter.responsible_division
    limits = await limits_of(session, division, acting.settings)
    days = limits.fix_by_days
    # While a calendar year is missing, twice as many calendar days are a loose bound.
    latest = await due_after(session, today, days, division) or today + timedelta(days=2 * days)
    if not today <= body.fix_by <= latest:
        raise FixByOutOfRange(latest=latest)
    values = {
        "branch": BRANCHES[Action.fix_by_date],
        "fix_by": body.fix_by,
        "due_on": body.fix_by,
        "warn_on": max(today, body.fix_by - timedelta(days=limits.warn_days)),
    }
    await step(session, matter, Action.fix_by_date, values, at=at, acting=acting, note=body.note)


async def reply(session: AsyncSession, matter_id: UUID, body: Reply, acting: Acting) -> None:
    """反馈: the resident is told what was done, and may rate again from now on.

    Raises:
        ReplyHoldsPersonalNumber: an identity or card number stands in the text.
        RectificationNotFound, WrongRole, …: see `begin`.
    """
    matter, at = await begin(session, matter_id, Action.reply, acting), now()
    if {IDENTITY_NUMBER, BANK_CARD} & set(screen(body.reply).findings):
        raise ReplyHoldsPersonalNumber
    call_back_due_on = await _call_back_due(session, matter, local_day(at), acting)
    values = {
        "reply": body.reply,
        "replied_at": at,
        "replied_by": acting.caller.account_id,
        "rerate_until": local_day(at) + timedelta(days=acting.settings.supplement_days),
        "missed_call_days": 0,
        "last_missed_on": None,
        "call_back_due_on": call_back_due_on,
    }
    await step(session, matter, Action.reply, values, at=at, acting=acting)
    if call_back_due_on is not None:
        await set_timer(session, CALL_BACK_DUE, matter.id, end_of(call_back_due_on))
    await record(
        session,
        RectificationReplied(
            **matter.facts.event_fields(at), rectification_id=matter.id, reply=body.reply
        ),
    )


async def _call_back_due(
    session: AsyncSession, matter: Matter, today: date, acting: Acting
) -> date | None:
    division = matter.responsible_division
    limits = await limits_of(session, division, acting.settings)
    return await due_after(session, today, limits.call_back_within_days, division)


async def extend(session: AsyncSession, matter_id: UUID, body: Extension, acting: Acting) -> None:
    """延期: a supervisor adds working days before the limit has passed, with a reason on record.

    Raises:
        ExtensionTooLong: more days than the division allows.
        DueDateUnknown: the calendar of the year is missing.
        RectificationNotFound, WrongRole, NoExtensionLeft, …: see `begin`.
    """
    matter, at = await begin(session, matter_id, Action.extend, acting), now()
    division = matter.responsible_division
    limits = await limits_of(session, division, acting.settings)
    if body.days > limits.extension_days:
        raise ExtensionTooLong(longest=limits.extension_days)
    if matter.due_on is None:
        raise DueDateUnknown
    calendar = await calendar_of(session, matter.due_on, division)
    moved = running(calendar, matter.due_on, body.days, limits.warn_days)
    if moved["due_on"] is None:
        raise DueDateUnknown
    values = {**moved, "times_extended": matter.times_extended + 1}
    await step(session, matter, Action.extend, values, at=at, acting=acting, note=body.note)
    await record(
        session,
        RectificationExtended(
            **matter.facts.event_fields(at), rectification_id=matter.id, due_on=moved["due_on"]
        ),
    )


async def call_back(session: AsyncSession, matter_id: UUID, body: CallBack, acting: Acting) -> None:
    """回访: solved closes, unsolved reopens, a call in vain is counted by the day.

    Raises:
        CallBackContradictory: solved or not without having reached anybody, or the reverse.
        RectificationNotFound, WrongRole, …: see `begin`.
    """
    action = call_back_outcome(reached=body.reached, solved=body.solved)
    if action is None:
        raise CallBackContradictory
    matter, at = await begin(session, matter_id, action, acting), now()
    values: dict[str, Any]
    if action is Action.confirm_solved:
        values = {"solved": True, "outcome": Outcome.solved, "closed_at": at}
    elif action is Action.find_unsolved:
        values = await reopening(session, matter, at, acting.settings)
    else:
        today = local_day(at)
        missed = missed_call_days(matter.missed_call_days, matter.last_missed_on, today)
        values = {"missed_call_days": missed, "last_missed_on": today}
    if body.reached and matter.called_back_at is None:
        values["called_back_at"] = at
    await step(session, matter, action, values, at=at, acting=acting, note=body.note)
    if action is Action.confirm_solved:
        await tell_closed(session, matter, Outcome.solved, at)
    elif action is Action.find_unsolved:
        await tell_reopened(session, matter, "call-back", values["due_on"], at)
