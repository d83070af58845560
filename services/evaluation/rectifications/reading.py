"""What staff and the resident are shown of rectifications."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import RatingLevel
from servicekit.auth import Caller
from servicekit.errors import Invalid
from servicekit.outbox import now
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor
from servicekit.personal_data import Cipher
from services.evaluation.access import ensure_may_see, scope_of
from services.evaluation.calendar.rules import end_of, local_day
from services.evaluation.free_text import RATING_TEXT, STEP_NOTE, screen
from services.evaluation.models import SERVICE_NAMES, RectificationState, ServiceNumber
from services.evaluation.rectifications import repository
from services.evaluation.rectifications.acting import RectificationNotFound, actors_of, guard_facts
from services.evaluation.rectifications.repository import Matter
from services.evaluation.rectifications.rules import (
    CALL_BACK,
    Action,
    Light,
    is_overdue,
    light,
    possible,
)
from services.evaluation.rectifications.schemas import (
    CallBackMeasure,
    RatingInMatter,
    RectificationForResident,
    RectificationForStaff,
    RectificationStanding,
    RectificationSummary,
    Step,
    UnitCallBacks,
)
from services.evaluation.settings import EvaluationSettings


class PeriodReversed(Invalid):
    code, title = "period-reversed", "起止日期颠倒了"


async def get(
    session: AsyncSession,
    matter_id: UUID,
    *,
    caller: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> RectificationForStaff | RectificationForResident:
    """One rectification: for staff in charge without who rated, for that resident what concerns them.

    Raises:
        RectificationNotFound: it does not exist, or the caller is another resident.
        WrongRole, WrongUnit, WrongDivision: staff who are not in charge.
    """
    matter = await repository.find(session, matter_id)
    if matter is None:
        raise RectificationNotFound
    if caller.is_resident:
        if matter.facts.applicant_id != caller.account_id:
            raise RectificationNotFound
        return _own(matter)
    ensure_may_see(caller, matter.facts.unit_code, matter.responsible_division)
    return await _for_staff(session, matter, caller, cipher, settings)


async def get_standing(
    session: AsyncSession, matter_id: UUID, *, caller: Caller, settings: EvaluationSettings
) -> RectificationStanding:
    """Where a rectification stands after a step of the caller's."""
    matter = await repository.find(session, matter_id)
    assert matter is not None
    ratings = await repository.list_ratings(session, matter.facts.evaluable_id)
    return RectificationStanding(**await _standing(session, matter, ratings, caller, settings))


async def list_for_staff(
    session: AsyncSession,
    *,
    caller: Caller,
    state: RectificationState | None,
    lit: Light | None,
    escalated: bool,
    after: str | None,
    limit: int,
) -> Page[RectificationSummary]:
    """The work list of the caller's unit or division, by due date; closed ones only when asked for."""
    today = local_day(now())
    rows = await repository.list_in_scope(
        session,
        scope_of(caller),
        state=state,
        light=lit,
        today=today,
        escalated=escalated,
        after=_position(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    cursor = encode_cursor(page[-1].due_key, page[-1].id) if more else None
    return Page(items=[_summary(row, today) for row in page], next=cursor)


async def measure_call_backs(
    session: AsyncSession, *, caller: Caller, first: date, last: date
) -> CallBackMeasure:
    """实名差评回访率 of the units the caller looks after, by the day of the reply.

    Source: 实名差评回访率 100 % (国办发〔2019〕51号).

    Raises:
        PeriodReversed: it ends before it begins.
    """
    if last < first:
        raise PeriodReversed
    start = end_of(first) - timedelta(days=1)
    rows = await repository.measure_call_backs(
        session, scope_of(caller), first=start, end=end_of(last), today=local_day(now())
    )
    return CallBackMeasure(
        items=[
            UnitCallBacks(**row._asdict(), call_back_ratio=row.called / row.replied) for row in rows
        ]
    )


def _position(after: str | None) -> tuple[date, UUID] | None:
    if after is None:
        return None
    day, matter_id = decode_cursor(after, 2)
    try:
        return date.fromisoformat(day), UUID(matter_id)
    except (TypeError, ValueError, AttributeError):
        raise CursorMalformed from None


def _summary(row: Any, today: date) -> RectificationSummary:
    return RectificationSummary(
        id=row.id,
        state=row.state,
        due_on=row.due_on,
        is_overdue=is_overdue(RectificationState(row.state), row.due_on, today),
        light=light(
            RectificationState(row.state),
            row.due_on,
            row.warn_on,
            today,
            is_disputed=row.is_disputed,
        ),
        is_escalated=row.escalated_at is not None,
        is_disputed=row.is_disputed,
        level=row.level,
        item_name=row.item_name,
        service_name=SERVICE_NAMES[ServiceNumber(row.service_number)],
        unit_code=row.unit_code,
        unit_name=row.unit_name,
        branch=row.branch,
        times_reopened=row.times_reopened,
    )


def _own(matter: Matter) -> RectificationForResident:
    return RectificationForResident(
        id=matter.id,
        evaluable_id=matter.facts.evaluable_id,
        case_number=matter.facts.case_number,
        item_name=matter.facts.item_name,
        unit_name=matter.facts.unit_name,
        state=RectificationState(matter.state),
        due_on=matter.due_on,
        branch=matter.branch,
        fix_by=matter.fix_by,
        reply=matter.reply,
        replied_at=matter.replied_at,
        rerate_until=matter.rerate_until,
        solved=matter.solved,
    )


async def _for_staff(
    session: AsyncSession,
    matter: Matter,
    caller: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> RectificationForStaff:
    ratings = await repository.list_ratings(session, matter.facts.evaluable_id)
    steps = await repository.list_steps(session, matter.id)
    return RectificationForStaff(
        **await _standing(session, matter, ratings, caller, settings),
        handler_name=matter.facts.handler_name,
        ratings=[_rating(row, cipher) for row in ratings],
        reply=matter.reply,
        history=[_step(row, cipher) for row in steps],
    )


async def _standing(
    session: AsyncSession,
    matter: Matter,
    ratings: Sequence[Any],
    caller: Caller,
    settings: EvaluationSettings,
) -> dict[str, Any]:
    state = RectificationState(matter.state)
    facts = await guard_facts(session, matter, caller, settings)
    actions, today = possible(facts, actors_of(matter, caller)), local_day(now())
    return {
        "id": matter.id,
        "state": state,
        "version": matter.version,
        "due_on": matter.due_on,
        "is_overdue": is_overdue(state, matter.due_on, today),
        "light": light(state, matter.due_on, matter.warn_on, today, is_disputed=matter.is_disputed),
        "is_escalated": matter.escalated_at is not None,
        "is_disputed": matter.is_disputed,
        "level": RatingLevel(ratings[-1].level),
        "item_name": matter.facts.item_name,
        "service_name": SERVICE_NAMES[ServiceNumber(matter.facts.service_number)],
        "unit_code": matter.facts.unit_code,
        "unit_name": matter.facts.unit_name,
        "branch": matter.branch,
        "fix_by": matter.fix_by,
        "replied_at": matter.replied_at,
        "missed_call_days": matter.missed_call_days,
        "call_back_due_on": matter.call_back_due_on,
        "called_back_at": matter.called_back_at,
        "times_extended": matter.times_extended,
        "outcome": matter.outcome,
        "times_reopened": matter.times_reopened,
        "solved": matter.solved,
        "closed_at": matter.closed_at,
        "possible_actions": _names(actions),
    }


def _rating(row: Any, cipher: Cipher) -> RatingInMatter:
    text = screen(cipher.decrypt(row.text, RATING_TEXT.context)).text if row.text else None
    return RatingInMatter(
        assess_number=row.assess_number,
        level=row.level,
        tags=row.tags,
        text=text,
        given_on=row.given_on,
    )


def _step(row: Any, cipher: Cipher) -> Step:
    return Step(
        action=row.action,
        from_state=row.from_state,
        to_state=row.to_state,
        actor_name=row.actor_name,
        actor_unit=row.actor_unit,
        note=cipher.decrypt(row.note, STEP_NOTE.context) if row.note else None,
        happened_at=row.happened_at,
    )


def _names(actions: list[Action]) -> list[str]:
    """As the API calls them: the outcomes of a call-back are one action."""
    names = ["call-back" if action in CALL_BACK else action.value for action in actions]
    return list(dict.fromkeys(names))
