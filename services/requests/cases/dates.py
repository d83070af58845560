"""Open cases follow a corrected calendar: some at a time, each with its line of history and event."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.timers import set_timer
from services.requests.cases import repository
from services.requests.cases.effects import EFFECTS, Corrected, moment_of
from services.requests.cases.rules import Action
from services.requests.cases.transitions import apply, load_dossier
from services.requests.clock import repository as clock
from services.requests.clock.calendars import Calendars
from services.requests.clock.policies import Policies
from services.requests.clock.service import CORRECTION, load_calendars, load_policies

BATCH = 100
#: A promise may end so long before the changed days while something else of the case (silence,
#: delivery) still counts them.
REACH = timedelta(days=45)


async def follow_correction(closes_at: time, session: AsyncSession, correction_id: UUID) -> None:
    """Bring the next open cases after a correction of the calendar; the timer comes again for more.

    Concurrency: locks the cases of a batch in the order of their ids.
    """
    correction = await clock.find_correction(session, correction_id)
    if correction is None or correction.finished_at is not None:
        return
    now = datetime.now(UTC)
    touched = await repository.list_touched(
        session,
        first_day=correction.first_day - REACH,
        last_day=correction.last_day,
        division_code=correction.division_code,
        after=correction.after_case_id,
        limit=BATCH,
    )
    calendars, policies = await load_calendars(session), await load_policies(session)
    act = Corrected(
        correction.year,
        correction.source,
        correction.first_day,
        correction.last_day,
        closes_at,
    )
    moved = 0
    for case_id in touched:
        moved += await _follow(session, case_id, act, calendars, policies, now)
    if len(touched) < BATCH:
        done = {"finished_at": now, "after_case_id": touched[-1] if touched else None}
    else:
        done = {"after_case_id": touched[-1]}
        await set_timer(session, CORRECTION, correction_id, now)
    await clock.advance_correction(session, correction_id, moved=correction.moved + moved, **done)


async def _follow(
    session: AsyncSession,
    case_id: UUID,
    act: Corrected,
    calendars: Calendars,
    policies: Policies,
    now: datetime,
) -> bool:
    """Give a locked case its dates; tell whether anybody can see a difference."""
    dossier = await load_dossier(session, case_id, lock=False)
    assert dossier is not None  # it is locked
    code = dossier.case.division_code
    moment = moment_of(now, calendars.of(code), act.closes_at, 0, policies.of(code))
    effect = EFFECTS[Action.reschedule](dossier, act, moment)
    if effect.event is not None:
        await apply(session, dossier.case, Action.reschedule, effect, caller=None, now=now)
        return True
    if effect.changes:
        await repository.update_case(session, case_id, effect.changes)
    for kind, due_at in effect.timers.items():
        await set_timer(session, kind, case_id, due_at)
    return False
