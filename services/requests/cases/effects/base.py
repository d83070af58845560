"""What an act on a case may lead to, and what it is computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from contracts import requests as events
from contracts.values import TimeUnit
from servicekit.auth import Caller
from services.requests.clock.policies import ClockPolicy, light_of, yellow_from
from services.requests.clock.rules import (
    LOCAL,
    CalendarMissing,
    WorkingCalendar,
    end_of_day,
    received_on,
)
from services.requests.clock.service import due_after, report_missing
from services.requests.models import CasePause

#: Kinds of timers whose subject is a case.
SILENCE, NEAR, PASSED = "deemed-acceptance", "deadline-near", "deadline-passed"
LAPSE, PAUSE_END, DELIVERY, ARCHIVE = "correction-lapse", "pause-end", "delivery-due", "archive"
#: Kinds of timers whose subject is a follow-up.
FOLLOW_UP, FOLLOW_UP_NEAR = "follow-up-due", "follow-up-near"
#: Calendar days from the end of a case to its archive, where nothing else is set.
ARCHIVE_DAYS = 30
#: Everything that is pointless once a case has ended.
RUNNING = (SILENCE, NEAR, PASSED, LAPSE, PAUSE_END)


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, and the names of what an act may point at."""

    caller: Caller
    #: Code → name.
    unit_names: Mapping[str, str]
    #: Name of whom a case is handed over to.
    colleague: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When and by whom something is done, and the calendar and policy that give it its dates."""

    now: datetime
    #: The day it is done (Asia/Shanghai).
    today: date
    #: Day 0 of a clock it starts: this working day, or the next after hours and on days off.
    counts_on: date
    calendar: WorkingCalendar
    correction_days: int
    policy: ClockPolicy = field(default_factory=ClockPolicy)
    archive_days: int = ARCHIVE_DAYS
    #: None: the clock, or an event of another service.
    by: Acting | None = None

    def unit_name(self, code: str) -> str:
        """The name of a unit; its code where nobody names it."""
        return self.by.unit_names.get(code, code) if self.by else code


def moment_of(
    now: datetime,
    calendar: WorkingCalendar,
    closes_at: time,
    correction_days: int,
    policy: ClockPolicy | None = None,
    archive_days: int = ARCHIVE_DAYS,
    by: Acting | None = None,
) -> Moment:
    """The moment something is done; without a calendar it counts on its own day."""
    today = now.astimezone(LOCAL).date()
    try:
        counts_on = received_on(calendar, now, closes_at)
    except CalendarMissing as missing:
        report_missing(missing)
        counts_on = today
    return Moment(
        now, today, counts_on, calendar, correction_days, policy or ClockPolicy(), archive_days, by
    )


@dataclass(frozen=True, slots=True)
class Dossier:
    """A case with what gathers round it; the parts are rows or anything with their fields."""

    case: Any
    notice: Any | None = None
    pauses: Sequence[Any] = ()
    opinions: Sequence[Any] = ()
    follow_ups: Sequence[Any] = ()
    payments: Sequence[Any] = ()

    @property
    def open_pause(self) -> Any | None:
        """The pause in which the limit stands still now."""
        return next((pause for pause in self.pauses if pause.ended_on is None), None)

    @property
    def outstanding(self) -> list[Any]:
        """Deferred materials nobody has handed in yet."""
        return [
            each
            for each in self.follow_ups
            if each.kind == "deferred-material" and each.ended_at is None
        ]

    @property
    def commitment(self) -> Any | None:
        """The commitment that waits for its check."""
        waiting = (f for f in self.follow_ups if f.kind == "commitment" and f.ended_at is None)
        return next(waiting, None)


@dataclass(frozen=True, slots=True)
class Missed:
    """后补逾期: the clock's own act."""

    follow_up_id: UUID
    material_code: str | None
    what: str


@dataclass(frozen=True, slots=True)
class Asked:
    """要求重办: asked for by a resident's rating."""

    reason: str
    rectification_id: UUID | None


@dataclass(frozen=True, slots=True)
class Corrected:
    """更正日历: the days of a year that are worked otherwise than before."""

    year: int
    source: str
    first_day: date
    last_day: date
    closes_at: time


@dataclass(frozen=True, slots=True)
class Write:
    """A row written beside the case: inserted, or changed where the columns of `where` match."""

    table: type[Any]
    values: dict[str, Any]
    where: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """通知书 to be issued: its kind and what it says, without names."""

    kind: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """The consequences of one act."""

    changes: dict[str, Any] = field(default_factory=dict)
    note: str | None = None
    event: type[events.CaseEvent] | None = None
    event_fields: dict[str, Any] = field(default_factory=dict)
    #: Kind of timer of the case → when it is due.
    timers: dict[str, datetime] = field(default_factory=dict)
    #: Timers of other subjects: kind, subject, when.
    other_timers: tuple[tuple[str, UUID, datetime], ...] = ()
    cancel: tuple[str, ...] = ()
    writes: tuple[Write, ...] = ()
    document: DocumentDraft | None = None
    #: Working days from acceptance to completion, to be counted with those of others.
    took_days: int | None = None
    #: The applicant's answer to the notice, to be sealed.
    notice_answer: str | None = None


def unit_of(case: Any) -> TimeUnit:
    """The unit of a case's limit."""
    return TimeUnit(case.promised_unit)


def due_of(case: Any, at: Moment, *, accepted_on: date | None = None, more_days: int = 0) -> Any:
    """When the limit of a case ends by its ledger: promised, extended and not counted days."""
    start = accepted_on or case.accepted_on
    if start is None:
        return None
    days = case.promised_days + case.extended_days + case.paused_days + more_days
    return due_after(at.calendar, start, days, unit_of(case))


def counted_from(case: Any, day: date) -> date:
    """Since when days of a case's limit count, seen from a day: never before its day 0."""
    start: date | None = case.accepted_on or case.received_on
    return max(day, start) if start else day


def days_paused(case: Any, calendar: WorkingCalendar, first: date, last: date) -> int:
    """Days by which a pause from one day to another stretches the limit of an accepted case.

    Raises:
        CalendarMissing: a year of it is not recorded.
    """
    return max(0, calendar.days_between(counted_from(case, first), last, unit_of(case)))


def limit(due_on: date | None, at: Moment) -> dict[str, Any]:
    """The changes that give a case a limit, with its light."""
    return {"due_on": due_on, "light": light_of(at.calendar, at.policy, due_on, at.today)}


def deadline_timers(due_on: date | None, at: Moment) -> dict[str, datetime]:
    """A reminder when the yellow light goes on, an alarm when the last day is over."""
    if due_on is None:
        return {}
    return {NEAR: near_of(due_on, at), PASSED: end_of_day(due_on)}


def near_of(due_on: date, at: Moment) -> datetime:
    """When it is time to be reminded of a day: the yellow light of a limit."""
    yellow = yellow_from(at.calendar, at.policy, due_on)
    return end_of_day(date.fromordinal(yellow.toordinal() - 1))


def ending(at: Moment) -> dict[str, datetime]:
    """What is due after a case has ended: its archive."""
    return {ARCHIVE: end_of_day(date.fromordinal(at.today.toordinal() + at.archive_days))}


def pause_ended(dossier: Dossier, at: Moment) -> tuple[Write, ...]:
    """Close the pause of a case that ends while its limit stands still."""
    pause = dossier.open_pause
    if pause is None:
        return ()
    where = {"case_id": dossier.case.id, "number": pause.number}
    return (Write(CasePause, {"ended_on": at.today}, where),)
