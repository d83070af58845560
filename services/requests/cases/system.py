"""Acts of nobody: of the clock, and of events of other services."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.requests.cases.effects import EFFECTS, Moment
from services.requests.cases.rules import Action, Actor, refusal
from services.requests.cases.transitions import apply, facts_of, load_dossier
from services.requests.clock.rules import LOCAL, CalendarMissing
from services.requests.clock.service import load_calendars, load_policies

BY_CLOCK = frozenset({Actor.system})


async def moment_now(session: AsyncSession, division_code: str) -> Moment:
    """Now, as acts of the system count it: day 0 is a working day."""
    now = datetime.now(UTC)
    today = now.astimezone(LOCAL).date()
    calendar = (await load_calendars(session)).of(division_code)
    try:
        counts_on = calendar.at_or_after(today)
    except CalendarMissing:
        counts_on = today
    policy = (await load_policies(session)).of(division_code)
    return Moment(now, today, counts_on, calendar, 0, policy)


async def act_by_system(session: AsyncSession, case_id: UUID, action: Action, act: Any) -> bool:
    """Take a step that nobody takes; False when the case no longer allows it."""
    dossier = await load_dossier(session, case_id, lock=True)
    if dossier is None or refusal(action, facts_of(dossier, datetime.now(UTC)), BY_CLOCK):
        return False
    moment = await moment_now(session, dossier.case.division_code)
    effect = EFFECTS[action](dossier, act, moment)
    await apply(session, dossier.case, action, effect, caller=None, now=moment.now)
    return True
