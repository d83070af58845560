"""Rectifications opened by a bad rating in its own transaction, and what is told of them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import RectificationOpened
from servicekit.auth import Caller
from servicekit.errors import Conflict
from servicekit.outbox import now, record
from servicekit.personal_data import record_access
from services.evaluation.access import ensure_may_see
from services.evaluation.calendar.rules import local_day
from services.evaluation.calendar.service import calendar_of
from services.evaluation.facts import EvaluableFacts
from services.evaluation.limits.service import limits_of
from services.evaluation.metrics import RECTIFICATION_STEPS
from services.evaluation.models import Outcome, RectificationState
from services.evaluation.rectifications import repository
from services.evaluation.rectifications.acting import RectificationNotFound, begin
from services.evaluation.rectifications.repository import Matter
from services.evaluation.rectifications.rules import Action, Actor, Facts, refusal
from services.evaluation.rectifications.schemas import (
    DisclosedCase,
    DisclosureList,
    DisclosureRead,
)
from services.evaluation.rectifications.transitions import (
    Acting,
    limit,
    reopening,
    running,
    step,
    tell_closed,
    tell_reopened,
    watch,
)
from services.evaluation.scores import service as scores
from services.evaluation.settings import EvaluationSettings


class MatterClosed(Conflict):
    code, title = "rectification-closed", "整改已销号，不再提供办件信息"


async def open_for(
    session: AsyncSession,
    facts: EvaluableFacts,
    *,
    rating_id: UUID,
    opened_at: datetime,
    settings: EvaluationSettings,
    by_resident: bool = True,
) -> tuple[UUID, date | None]:
    """Open a rectification for a bad rating, or reopen the one there is; return id and due date.

    `by_resident` is False when a reversed ruling makes an old rating count again: that is no
    resident saying today that the case must be taken up again.

    Concurrency: the caller holds the lock of the evaluable service.
    """
    matter = await repository.lock_for_evaluable(session, facts.evaluable_id)
    if matter is not None:
        due_on = await _reopen_by_rating(
            session, matter, opened_at, settings, by_resident=by_resident
        )
        return matter.id, due_on
    limited = await limit(session, opened_at, facts.responsible_division, settings)
    # Random, not time-ordered: staff see it, and must not see the moment of the rating in it.
    matter_id = uuid4()
    await repository.insert_matter(
        session,
        {
            "id": matter_id,
            "evaluable_id": facts.evaluable_id,
            "rating_id": rating_id,
            "unit_code": facts.unit_code,
            "unit_name": facts.unit_name,
            "responsible_division": facts.responsible_division,
            "state": RectificationState.opened,
            "version": 1,
            "opened_at": opened_at,
            **limited,
        },
    )
    await record(
        session,
        RectificationOpened(
            **facts.event_fields(opened_at),
            rectification_id=matter_id,
            rating_id=rating_id,
            due_on=limited["due_on"],
        ),
    )
    await watch(session, matter_id, limited["due_on"])
    RECTIFICATION_STEPS.labels("open").inc()
    return matter_id, limited["due_on"]


_CLOSED_BY = {
    Outcome.withdrawn: Action.withdraw_rating,
    Outcome.excluded: Action.exclude_rating,
}


async def close_for(
    session: AsyncSession, evaluable_id: UUID, outcome: Outcome, *, at: datetime
) -> None:
    """Close what is done about a bad rating that counts no more; nothing when nothing is open.

    Concurrency: the caller holds the lock of the evaluable service.
    """
    matter = await repository.lock_for_evaluable(session, evaluable_id)
    if matter is None or matter.state == RectificationState.closed:
        return
    values = {"solved": False, "outcome": outcome, "closed_at": at, "is_disputed": False}
    await step(session, matter, _CLOSED_BY[outcome], values, at=at)
    await tell_closed(session, matter, outcome, at)


async def _reopen_by_rating(
    session: AsyncSession,
    matter: Matter,
    at: datetime,
    settings: EvaluationSettings,
    *,
    by_resident: bool,
) -> date | None:
    facts = Facts(RectificationState(matter.state))
    if refusal(Action.rate_badly_again, facts, frozenset({Actor.resident})) is not None:
        return matter.due_on  # under way anyway
    values = await reopening(session, matter, at, settings)
    await step(session, matter, Action.rate_badly_again, values, at=at)
    await tell_reopened(session, matter, "rating", values["due_on"], at, asks_for_case=by_resident)
    due_on: date | None = values["due_on"]
    return due_on


async def pause_for_dispute(
    session: AsyncSession, matter_id: UUID, acting: Acting
) -> tuple[Matter, UUID]:
    """申诉: the limit stands still until somebody of another unit rules; return matter and rating.

    Raises:
        RectificationNotFound, WrongRole, WrongUnit, StaleVersion, …: see `steps.begin`.
    """
    matter, at = await begin(session, matter_id, Action.dispute, acting), now()
    ratings = await repository.list_ratings(session, matter.facts.evaluable_id)
    await step(session, matter, Action.dispute, {"is_disputed": True}, at=at, acting=acting)
    return matter, ratings[-1].id


async def resume_after_dispute(
    session: AsyncSession, matter_id: UUID, raised_at: datetime, acting: Acting, *, note: str
) -> None:
    """申诉不成立: the limit runs on with the working days that were left when it was raised."""
    matter, at = await repository.lock(session, matter_id), now()
    assert matter is not None
    if not matter.is_disputed:
        return
    division, values = matter.responsible_division, dict[str, Any](is_disputed=False)
    if matter.due_on is not None:
        limits = await limits_of(session, division, acting.settings)
        raised_on = local_day(raised_at)
        calendar = await calendar_of(session, min(raised_on, matter.due_on), division)
        left = max(calendar.between(raised_on, matter.due_on), 1)
        values |= running(calendar, local_day(at), left, limits.warn_days)
    await step(session, matter, Action.resume, values, at=at, acting=acting, note=note)


async def disclose(
    session: AsyncSession, matter_id: UUID, caller: Caller, *, reason: str
) -> DisclosedCase:
    """Tell which case it is, so that the resident can be called; written down for the resident.

    Raises:
        RectificationNotFound, WrongRole, WrongUnit, WrongDivision: not the caller's matter.
        MatterClosed: nobody needs to know any more.
    """
    matter = await repository.find(session, matter_id)
    if matter is None:
        raise RectificationNotFound
    ensure_may_see(caller, matter.facts.unit_code, matter.responsible_division)
    if matter.state == RectificationState.closed:
        raise MatterClosed
    await record_access(
        session,
        subject_id=matter.facts.applicant_id,
        viewer_id=caller.account_id,
        viewer_name=caller.name,
        viewer_unit=caller.unit,
        record=_record_name(matter),
        fields=["case_id", "case_number"],
        reason=reason,
    )
    return DisclosedCase(case_id=matter.facts.case_id, case_number=matter.facts.case_number)


async def list_disclosures(
    session: AsyncSession, matter_id: UUID, caller: Caller
) -> DisclosureList:
    """Tell a resident who was told which of their cases a matter is about.

    Raises:
        RectificationNotFound: it does not exist, or it is not about the caller's own rating.
    """
    matter = await repository.find(session, matter_id)
    if matter is None or matter.facts.applicant_id != caller.account_id:
        raise RectificationNotFound
    rows = await repository.list_disclosures(session, caller.account_id, _record_name(matter))
    return DisclosureList(
        items=[DisclosureRead.model_validate(row, from_attributes=True) for row in rows]
    )


def _record_name(matter: Matter) -> str:
    return f"rectification:{matter.id}"


async def fill_due_dates(session: AsyncSession, settings: EvaluationSettings) -> int:
    """Give open matters the due date a missing calendar year had kept from them; return how many."""
    filled = 0
    for row in await repository.list_without_due_date(session):
        division = row.responsible_division
        calendar = await calendar_of(session, row.limit_from, division)
        limits = await limits_of(session, division, settings)
        values = running(calendar, row.limit_from, row.limit_days, limits.warn_days)
        if values["due_on"] is not None:
            await repository.change(session, row.id, values)
            await watch(session, row.id, values["due_on"])
            scores.touch(session, row.evaluable_id)
            filled += 1
    return filled
