"""The townships' opinions: asked for, given, and over on their last day."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import DivisionLevel, division_covers, division_level
from servicekit.auth import Caller, WrongDivision
from servicekit.outbox import now
from servicekit.timers import cancel_timers, set_timer
from services.catalogue.admissions import repository, rules
from services.catalogue.admissions.checks import refuse
from services.catalogue.admissions.errors import AdmissionNotFound, StepRefused
from services.catalogue.admissions.recording import night_after, today, write
from services.catalogue.admissions.rules import Action
from services.catalogue.admissions.schemas import AdmissionStep, OpinionGive
from services.catalogue.items.violation import Violation
from services.catalogue.models import AdmissionState

CONSULT_TIMER = "admission-consultation"


async def begin(session: AsyncSession, row: Any, body: AdmissionStep) -> dict[str, Any]:
    """Ask townships until a day; returns what changes in the admission, whose row is locked.

    Raises:
        AdmissionRefused: no funds are stated, a township is none of the county's, or the day is past.
    """
    assert body.townships is not None
    assert body.until is not None
    wrong = [
        each
        for each in body.townships
        if division_level(each) is not DivisionLevel.township
        or not division_covers(row.division_code, each)
    ]
    errors = []
    if "funds" not in row.content:
        errors.append(Violation("/funds", "funds-missing", "还没有写明经费和工作条件", "先写明"))
    if wrong:
        errors.append(
            Violation(
                "/townships", "township-unknown", f"不是本县的乡镇：{'、'.join(wrong)}", "更正"
            )
        )
    if body.until < today():
        errors.append(Violation("/until", "day-past", "截止日期已经过去", "更正截止日期"))
    refuse(errors)
    await set_timer(session, CONSULT_TIMER, row.id, night_after(body.until))
    return {"townships": list(dict.fromkeys(body.townships)), "consult_until": body.until}


async def give_opinion(
    session: AsyncSession, caller: Caller, admission_id: UUID, body: OpinionGive
) -> Any:
    """A township says whether its villages can carry it; the last of them ends the consultation.

    Raises:
        AdmissionNotFound: there is no such proposal.
        WrongDivision: the township was not asked.
        StepRefused: nobody is asked now.

    Concurrency: locks the admission.
    """
    row = await repository.lock(session, admission_id)
    if row is None:
        raise AdmissionNotFound
    if caller.division not in row.townships:
        raise WrongDivision
    if row.state != AdmissionState.consulting:
        raise StepRefused
    at = now()
    await repository.put_opinion(
        session,
        admission_id=row.id,
        township=caller.division,
        supports=body.supports,
        words=body.words,
        officer=str(caller.account_id),
        officer_name=caller.name,
        given_at=at,
    )
    given = [each.township for each in await repository.list_opinions(session, row.id)]
    over = rules.has_all_opinions(row.townships, given)
    if over:
        await cancel_timers(session, row.id, CONSULT_TIMER)
    after = AdmissionState.deciding if over else AdmissionState.consulting
    return await write(session, caller, row, "give-opinion", after, reason=body.words)


async def end(session: AsyncSession, admission_id: UUID) -> None:
    """Timer: the last day for opinions has passed."""
    row = await repository.lock(session, admission_id)
    if row is not None and row.state == AdmissionState.consulting:
        step = rules.TRANSITIONS[AdmissionState.consulting, Action.close_consultation]
        await write(session, None, row, Action.close_consultation, step.to)
