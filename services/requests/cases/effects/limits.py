"""特别程序、延期: what stops and stretches a limit."""

from datetime import timedelta

from contracts import requests as events
from contracts.values import TimeUnit
from services.requests.cases import acts
from services.requests.cases.effects.base import (
    NEAR,
    PASSED,
    PAUSE_END,
    DocumentDraft,
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
from services.requests.clock.rules import end_of_day
from services.requests.clock.service import due_after
from services.requests.models import CasePause


def review(_: Dossier, act: acts.Review, _at: Moment) -> Effect:
    staff = f"（{'、'.join(act.staff)}）" if act.staff else ""
    return Effect(note=f"{act.opinion}{staff}")


def pause(dossier: Dossier, act: acts.Pause, at: Moment) -> Effect:
    """The limit stands still: what is left of it is kept, its end is open."""
    case = dossier.case
    remaining = None
    if case.due_on is not None:
        since = counted_from(case, at.today)
        remaining = at.calendar.days_between(since, case.due_on, unit_of(case))
    expected = due_after(at.calendar, at.today, act.expected_days, TimeUnit.working_days)
    until = expected or at.today + timedelta(days=2 * act.expected_days)
    return Effect(
        changes={"paused_on": at.today, "remaining_days": remaining, **limit(None, at)},
        note=act.reason,
        event=events.CaseClockPaused,
        event_fields={
            "procedure": act.procedure,
            "paused_on": at.today,
            "remaining_days": remaining,
            "limit_unit": unit_of(case),
            "expected_until": until,
        },
        cancel=(NEAR, PASSED),
        timers={PAUSE_END: end_of_day(until)},
        writes=(
            Write(
                CasePause,
                {
                    "case_id": case.id,
                    "number": len(dossier.pauses) + 1,
                    "procedure": act.procedure,
                    "reason": act.reason,
                    "started_on": at.today,
                    "expected_until": until,
                },
            ),
        ),
        document=DocumentDraft(
            "special-procedure",
            {
                "procedure": act.procedure,
                "reason": act.reason,
                "expected_days": act.expected_days,
                "expected_until": until.isoformat(),
            },
        ),
    )


def resume(dossier: Dossier, act: acts.Resume, at: Moment) -> Effect:
    """The limit goes on; the days it stood still are added to it.

    Raises:
        CalendarMissing: the year is not recorded, and so the days are unknown.
    """
    case, open_pause = dossier.case, dossier.open_pause
    assert open_pause is not None  # a paused case has one
    days = days_paused(case, at.calendar, open_pause.started_on, at.today)
    due_on = due_of(case, at, more_days=days)
    return Effect(
        changes={
            "paused_on": None,
            "remaining_days": None,
            "paused_days": case.paused_days + days,
            **limit(due_on, at),
        },
        note=act.outcome,
        event=events.CaseClockResumed,
        event_fields={
            "procedure": open_pause.procedure,
            "resumed_on": at.today,
            "paused_days": days,
            "limit_unit": unit_of(case),
        },
        cancel=(PAUSE_END,),
        timers=deadline_timers(due_on, at),
        writes=(
            Write(
                CasePause,
                {"ended_on": at.today, "days": days, "outcome": act.outcome},
                {"case_id": case.id, "number": open_pause.number},
            ),
        ),
        document=DocumentDraft(
            "resumption",
            {"outcome": act.outcome, "days": days, "due_on": due_on.isoformat() if due_on else ""},
        ),
    )


def extend(dossier: Dossier, act: acts.Extend, at: Moment) -> Effect:
    case = dossier.case
    due_on = due_of(case, at, more_days=act.days)
    return Effect(
        changes={"extended_days": act.days, **limit(due_on, at)},
        note=act.reason,
        event=events.CaseExtended,
        event_fields={"days": act.days, "limit_unit": unit_of(case)},
        timers=deadline_timers(due_on, at),
        document=DocumentDraft(
            "extension",
            {
                "reason": act.reason,
                "days": act.days,
                "due_on": due_on.isoformat() if due_on else "",
            },
        ),
    )
