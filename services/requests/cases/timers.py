"""What the clock does to cases: silence accepts, limits come near and pass."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.requests import CaseEscalated
from servicekit import outbox
from services.requests.cases import repository
from services.requests.cases.effects import NEAR, PASSED, SILENCE, Effect, Moment, accepted
from services.requests.cases.rules import Action
from services.requests.cases.service import apply, event_of
from services.requests.clock.rules import LOCAL
from services.requests.clock.service import load_calendars
from services.requests.metrics import DEADLINES
from services.requests.models import CaseState


async def deem_accepted(session: AsyncSession, case_id: UUID) -> None:
    """视为受理: five working days of silence accept a case from the day it was received.

    Source: 行政许可法 art. 32 (4).
    """
    case = await repository.find_case(session, case_id, lock=True)
    if case is None or case.state != CaseState.received:
        return
    now = datetime.now(UTC)
    today = now.astimezone(LOCAL).date()
    calendar = (await load_calendars(session)).of(case.division_code)
    moment = Moment(now, today, today, calendar, 0)
    effect = accepted(
        case, case.received_on or moment.today, moment, note="逾期未告知，视为受理", deemed=True
    )
    await apply(session, case, Action.deem_accepted, effect, caller=None, now=now)


async def deadline_near(session: AsyncSession, case_id: UUID) -> None:
    """The last day of a limit has begun."""
    await _escalate(session, case_id, overdue=False)


async def deadline_passed(session: AsyncSession, case_id: UUID) -> None:
    """A limit has passed with the case still open."""
    await _escalate(session, case_id, overdue=True)


async def _escalate(session: AsyncSession, case_id: UUID, *, overdue: bool) -> None:
    case = await repository.find_case(session, case_id, lock=True)
    if case is None or case.state not in repository.OPEN_STATES:
        return
    effect = Effect(event=CaseEscalated, event_fields={"overdue": overdue})
    now = datetime.now(UTC)
    await outbox.record(session, event_of(case, effect, {"version": case.version}, None, now))
    DEADLINES.labels(PASSED if overdue else NEAR).inc()


TIMERS = {SILENCE: deem_accepted, NEAR: deadline_near, PASSED: deadline_passed}
