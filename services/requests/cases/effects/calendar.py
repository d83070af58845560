"""改期: what a corrected calendar changes of an open case."""

from dataclasses import replace
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from contracts import requests as events
from contracts.values import TimeUnit
from services.requests.cases.effects.base import (
    DELIVERY,
    NEAR,
    SILENCE,
    Corrected,
    Dossier,
    Effect,
    Moment,
    Write,
    counted_from,
    days_paused,
    deadline_timers,
    due_of,
    limit,
    unit_of,
)
from services.requests.cases.effects.outcomes import DELIVERY_DAYS
from services.requests.clock.rules import CalendarMissing, end_of_day, received_on
from services.requests.clock.service import due_after, end_of_silence
from services.requests.models import CasePause, CaseState, Light

#: What a resident or a work list sees of the clock.
SEEN = ("due_on", "received_on", "remaining_days", "paused_days")


def reschedule(dossier: Dossier, act: Corrected, at: Moment) -> Effect:
    """The dates of an open case by the calendar as it is now; without an event if none moved.

    A correction alone makes nothing overdue: a promise that would now be over already, and was
    not, stands. Days written into notices (补正, 特别程序, 容缺, 督办) stand, too.
    """
    case = dossier.case
    pauses, paused_days = _pauses(dossier, act, at)
    counted = SimpleNamespace(
        promised_days=case.promised_days,
        extended_days=case.extended_days,
        paused_days=paused_days,
        promised_unit=case.promised_unit,
        accepted_on=case.accepted_on,
    )
    changes: dict[str, Any] = {"paused_days": paused_days} if pauses else {}
    timers: dict[str, datetime] = {}
    if case.state == CaseState.paused:
        due = due_of(counted, at)
        if due is not None:
            since = counted_from(case, case.paused_on)
            changes["remaining_days"] = at.calendar.days_between(since, due, unit_of(case))
    elif case.accepted_on is not None:
        changes |= limit(_kept(case, due_of(counted, at), at), at)
        timers = _running(case, changes, at)
    else:
        changes |= _not_accepted(dossier, act, at)
        timers = _silence(case, changes, at)
    moved = {name: changes[name] for name in SEEN if _differs(case, name, changes)}
    plain = Effect(changes=changes, timers=timers, writes=pauses)
    return replace(plain, **_told(case, act, moved)) if moved else plain


def _differs(case: Any, name: str, changes: dict[str, Any]) -> bool:
    return name in changes and changes[name] != getattr(case, name)


def _told(case: Any, act: Corrected, moved: dict[str, Any]) -> dict[str, Any]:
    if "due_on" in moved:
        due, former = moved["due_on"], case.due_on
        what = f"承诺办结日由{former}改为{due}" if former else f"承诺办结日定为{due}"
    else:
        what = "办理时限重新计算"
    return {
        "note": f"工作日历更正（{act.source}）：{what}",
        "event": events.CaseRescheduled,
        "event_fields": {
            "former_due_on": case.due_on,
            "year": act.year,
            "ordered_by": act.source,
        },
    }


def _pauses(dossier: Dossier, act: Corrected, at: Moment) -> tuple[tuple[Write, ...], int]:
    """Pauses of the running limit that touch the changed days, counted anew."""
    case, writes, paused_days = dossier.case, [], dossier.case.paused_days
    for pause in dossier.pauses:
        if pause.days is None:
            continue
        is_of_limit = case.accepted_on is not None and pause.ended_on > case.accepted_on
        if not is_of_limit or pause.started_on > act.last_day or pause.ended_on < act.first_day:
            continue
        days = days_paused(case, at.calendar, pause.started_on, pause.ended_on)
        if days != pause.days:
            paused_days += days - pause.days
            where = {"case_id": case.id, "number": pause.number}
            writes.append(Write(CasePause, {"days": days}, where))
    return tuple(writes), paused_days


def _kept(case: Any, due: date | None, at: Moment) -> date | None:
    """The new date; the old one where the new is unknown or would be over already."""
    if due is None:
        return case.due_on  # type: ignore[no-any-return]
    if case.due_on is not None and due < at.today <= case.due_on:
        return case.due_on  # type: ignore[no-any-return]
    return due


def _running(case: Any, changes: dict[str, Any], at: Moment) -> dict[str, datetime]:
    """Timers that are still to come; a reminder that was given is not given again."""
    wanted = deadline_timers(changes["due_on"], at)
    if case.state == CaseState.decided:
        by = due_after(at.calendar, case.decided_on, DELIVERY_DAYS, TimeUnit.working_days)
        wanted |= {DELIVERY: end_of_day(by)} if by else {}
    turns_yellow = changes["light"] == Light.yellow and case.light == Light.green
    return {
        kind: when
        for kind, when in wanted.items()
        if when > at.now or case.due_on is None or (kind == NEAR and turns_yellow)
    }


def _not_accepted(dossier: Dossier, act: Corrected, at: Moment) -> dict[str, Any]:
    """Day 0, unless it has been already, and the promise that counts from it.

    Nothing while an answer to a notice is awaited: it is received on the day it comes.
    """
    case, notice = dossier.case, dossier.notice
    if case.state == CaseState.correcting:
        return {}
    start = case.received_on
    if start is None or start > at.today:
        handed_in = notice.answered_at if notice is not None else case.submitted_at
        try:
            start = received_on(at.calendar, handed_in, act.closes_at)
        except CalendarMissing:
            return {}
    due = due_after(at.calendar, start, case.promised_days, unit_of(case))
    return {"received_on": start, **limit(_kept(case, due, at), at)}


def _silence(case: Any, changes: dict[str, Any], at: Moment) -> dict[str, datetime]:
    """When silence accepts; never before the end of the day on which the calendar changed."""
    if case.state != CaseState.received or not changes:
        return {}
    ends = end_of_silence(at.calendar, changes["received_on"])
    soonest = end_of_day(at.today)
    return {SILENCE: max(ends, soonest)} if ends else {}
