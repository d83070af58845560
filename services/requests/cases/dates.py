"""Dates that a missing calendar year withheld, given once it is recorded."""

from datetime import time

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import TimeUnit
from servicekit.outbox import now
from servicekit.timers import set_timer
from services.requests.cases import repository
from services.requests.cases.effects import deadline_timers, moment_of
from services.requests.cases.effects.base import due_of, limit
from services.requests.clock.service import load_calendars, load_policies, promise

FILL_BATCH = 500


async def fill_missing_due_dates(session: AsyncSession, closes_at: time) -> int:
    """Give open cases the dates a missing calendar year withheld; return how many got one."""
    calendars, policies = await load_calendars(session), await load_policies(session)
    filled = 0
    for case in await repository.list_without_due_date(session, FILL_BATCH):
        calendar = calendars.of(case.division_code)
        moment = moment_of(now(), calendar, closes_at, 0, policies.of(case.division_code))
        promised = promise(
            calendar,
            submitted_at=case.submitted_at,
            closes_at=closes_at,
            days=case.promised_days,
            unit=TimeUnit(case.promised_unit),
        )
        received = case.received_on or promised.received_on
        due = due_of(case, moment) if case.accepted_on is not None else promised.due_on
        if due is None:
            continue
        await repository.update_case(
            session, case.id, {"received_on": received, **limit(due, moment)}
        )
        if case.accepted_on is not None:
            for kind, due_at in deadline_timers(due, moment).items():
                await set_timer(session, kind, case.id, due_at)
        filled += 1
    return filled
