"""What each transition of a case changes, sets and tells: pure functions of the case and the act."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from contracts import requests as events
from contracts.values import TimeUnit
from services.requests.cases import schemas
from services.requests.cases.rules import Action
from services.requests.clock.rules import (
    LOCAL,
    CalendarMissing,
    WorkingCalendar,
    end_of_day,
    received_on,
)
from services.requests.clock.service import due_after, end_of_silence, report_missing

SILENCE, NEAR, PASSED = "deemed-acceptance", "deadline-near", "deadline-passed"


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is done, and the calendar that gives it its dates."""

    now: datetime
    #: The day it is done (Asia/Shanghai).
    today: date
    #: Day 0 of a clock it starts: this working day, or the next after hours and on days off.
    counts_on: date
    calendar: WorkingCalendar
    correction_days: int


def moment_of(
    now: datetime, calendar: WorkingCalendar, closes_at: time, correction_days: int
) -> Moment:
    """The moment something is done; without a calendar it counts on its own day."""
    today = now.astimezone(LOCAL).date()
    try:
        counts_on = received_on(calendar, now, closes_at)
    except CalendarMissing as missing:
        report_missing(missing)
        counts_on = today
    return Moment(now, today, counts_on, calendar, correction_days)


@dataclass(frozen=True, slots=True)
class Effect:
    """The consequences of one act."""

    changes: dict[str, Any] = field(default_factory=dict)
    note: str | None = None
    event: type[events.CaseEvent] | None = None
    event_fields: dict[str, Any] = field(default_factory=dict)
    #: Kind of timer → when it is due.
    timers: dict[str, datetime] = field(default_factory=dict)
    cancel: tuple[str, ...] = ()
    notice: dict[str, Any] | None = None
    notice_answer: str | None = None


def _dispatch(_case: Any, act: schemas.Dispatch, _: Moment) -> Effect:
    return Effect(changes={"unit_code": act.unit_code}, note=act.note)


def _request_correction(_case: Any, act: schemas.RequestCorrection, at: Moment) -> Effect:
    answer_by = due_after(at.calendar, at.counts_on, at.correction_days, TimeUnit.working_days)
    # Without a calendar the notice still stands; the resident gets the longer count.
    answer_by = answer_by or date.fromordinal(at.counts_on.toordinal() + 2 * at.correction_days)
    return Effect(
        note="；".join(act.missing),
        event=events.CorrectionRequested,
        event_fields={"missing": tuple(act.missing), "answer_by": answer_by},
        cancel=(SILENCE,),
        notice={"missing": act.missing, "issued_at": at.now, "answer_by": answer_by},
    )


def _answer_correction(case: Any, act: schemas.AnswerCorrection, at: Moment) -> Effect:
    silence = end_of_silence(at.calendar, at.counts_on)
    handed_in = {material["code"]: material for material in case.materials}
    handed_in |= {material.code: material.model_dump() for material in act.materials}
    return Effect(
        changes={"materials": list(handed_in.values())},
        event=events.CorrectionAnswered,
        timers={SILENCE: silence} if silence else {},
        notice_answer=act.note or "",
    )


def _accept(case: Any, act: schemas.Accept, at: Moment) -> Effect:
    return accepted(case, at.counts_on, at, note=act.note, deemed=False)


def accepted(case: Any, on: date, at: Moment, *, note: str | None, deemed: bool) -> Effect:
    """受理 on a day: the promised limit starts, silence no longer counts."""
    due_on = due_after(at.calendar, on, case.promised_days, TimeUnit(case.promised_unit))
    return Effect(
        changes={"accepted_on": on, "due_on": due_on},
        note=note,
        event=events.CaseAccepted,
        event_fields={"accepted_on": on, "deemed": deemed},
        timers=deadline_timers(due_on),
        cancel=(SILENCE,),
    )


def deadline_timers(due_on: date | None) -> dict[str, datetime]:
    """A reminder when the last day begins, an alarm when it is over."""
    if due_on is None:
        return {}
    return {NEAR: end_of_day(date.fromordinal(due_on.toordinal() - 1)), PASSED: end_of_day(due_on)}


def _refuse(_case: Any, act: schemas.Refuse, _: Moment) -> Effect:
    return Effect(
        note=act.reason,
        event=events.CaseRefused,
        event_fields={"reason": act.reason, "right_organ": act.right_organ},
        cancel=(SILENCE,),
    )


def _decide(_case: Any, act: schemas.Decide, _: Moment) -> Effect:
    return Effect(
        changes={"granted": act.granted},
        note=act.note,
        event=events.CaseDecided,
        event_fields={"granted": act.granted},
    )


def _complete(_case: Any, act: schemas.Complete, at: Moment) -> Effect:
    return Effect(
        changes={"result_code": act.result_code, "completed_on": at.today},
        note=act.note,
        event=events.CaseCompleted,
        event_fields={"result_code": act.result_code, "completed_on": at.today},
        cancel=(NEAR, PASSED),
    )


def _withdraw(_case: Any, act: schemas.Withdraw, _: Moment) -> Effect:
    return Effect(note=act.note, event=events.CaseWithdrawn, cancel=(SILENCE, NEAR, PASSED))


EFFECTS: dict[Action, Callable[[Any, Any, Moment], Effect]] = {
    Action.dispatch: _dispatch,
    Action.request_correction: _request_correction,
    Action.answer_correction: _answer_correction,
    Action.accept: _accept,
    Action.refuse: _refuse,
    Action.decide: _decide,
    Action.complete: _complete,
    Action.withdraw: _withdraw,
}
