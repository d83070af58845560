"""What a resident sees of the clock: the promised date, what stopped it and why, what is usual."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import TimeUnit
from servicekit.auth import Caller
from services.requests.cases.access import ensure_may_read
from services.requests.cases.effects.base import counted_from
from services.requests.cases.rules import OPEN
from services.requests.cases.service import CaseNotFound
from services.requests.cases.transitions import load_dossier
from services.requests.clock.rules import CalendarMissing, WorkingCalendar
from services.requests.models import CaseState
from services.requests.models import DurationCount as D
from services.requests.reference.service import Reference


class Stopped(BaseModel):
    """时限为什么停了。"""

    reason: str
    procedure: str | None
    since: date
    expected_until: date | None


class Usual(BaseModel):
    """这个单位办这个事项通常要几个工作日（从受理到办结）。"""

    cases: int
    p50_days: int
    p90_days: int


class CaseClock(BaseModel):
    """办件的时限。"""

    state: str
    light: str
    received_on: date | None
    accepted_on: date | None
    promised_days: int
    promised_unit: TimeUnit
    due_on: date | None = Field(description="承诺办结日；时限停着时为 null")
    due_is_provisional: bool
    remaining_days: int | None = Field(description="剩余天数，负数表示已超期")
    extended_days: int
    paused_days: int
    stopped: Stopped | None
    usual: Usual | None


def usual_of(counts: Sequence[tuple[int, int]]) -> Usual | None:
    """Percentiles by nearest rank of (days, cases), sorted by days; None without cases."""
    total = sum(cases for _, cases in counts)
    if total == 0:
        return None

    def percentile(share: int) -> int:
        wanted, seen = -(-total * share // 100), 0
        for days, cases in counts:
            seen += cases
            if seen >= wanted:
                return days
        raise AssertionError

    return Usual(cases=total, p50_days=percentile(50), p90_days=percentile(90))


async def get_clock(
    session: AsyncSession, reference: Reference, *, case_id: UUID, today: date, caller: Caller
) -> CaseClock:
    """The clock of a case.

    Raises:
        CaseNotFound, WrongPerson, WrongRole, WrongDivision.
    """
    dossier = await load_dossier(session, case_id, lock=False)
    if dossier is None:
        raise CaseNotFound
    case = dossier.case
    ensure_may_read(case, caller, dossier.opinions)
    calendar = reference.calendars.of(case.division_code)
    rows = await session.execute(
        select(col(D.days), col(D.cases))
        .where(col(D.item_id) == case.item_id, col(D.unit_code) == case.unit_code)
        .order_by(col(D.days))
    )
    return CaseClock(
        state=case.state,
        light=case.light,
        received_on=case.received_on,
        accepted_on=case.accepted_on,
        promised_days=case.promised_days,
        promised_unit=case.promised_unit,
        due_on=case.due_on,
        due_is_provisional=case.due_on is not None
        and case.due_on.year in calendar.provisional_years,
        remaining_days=_remaining(calendar, case, today),
        extended_days=case.extended_days,
        paused_days=case.paused_days,
        stopped=_stopped(dossier),
        usual=usual_of([(row[0], row[1]) for row in rows]),
    )


def _remaining(calendar: WorkingCalendar, case: Any, today: date) -> int | None:
    if case.state == CaseState.paused:
        frozen: int | None = case.remaining_days
        return frozen
    if case.due_on is None or case.state not in OPEN:
        return None
    try:
        since = counted_from(case, today)
        return calendar.days_between(since, case.due_on, TimeUnit(case.promised_unit))
    except CalendarMissing:
        return None


def _stopped(dossier: Any) -> Stopped | None:
    if dossier.case.state == CaseState.correcting and dossier.notice is not None:
        return Stopped(
            reason="等待申请人补正：" + "；".join(dossier.notice.missing),
            procedure=None,
            since=dossier.notice.issued_at.date(),
            expected_until=dossier.notice.answer_by,
        )
    pause = dossier.open_pause
    if pause is None:
        return None
    return Stopped(
        reason=pause.reason,
        procedure=pause.procedure,
        since=pause.started_on,
        expected_until=pause.expected_until,
    )
