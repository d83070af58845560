"""What may be rated, and whether now; services are opened by `arrivals`."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.errors import Conflict, Gone, NotFound, ServiceError
from servicekit.outbox import now
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor
from servicekit.personal_data import Cipher
from services.evaluation.calendar.rules import local_day
from services.evaluation.evaluables import repository
from services.evaluation.evaluables.rules import (
    AGAIN,
    FIRST,
    Refusal,
    Standing,
    next_assess_number,
    refusal,
    state_of,
)
from services.evaluation.evaluables.schemas import EvaluableRead, GivenRating, OpenRectification
from services.evaluation.facts import EvaluableFacts
from services.evaluation.models import SERVICE_NAMES, Origin
from services.evaluation.proofs import look_up_code
from services.evaluation.scores import service as scores


class EvaluableNotFound(NotFound):
    """Also for somebody else's case: that it exists is nobody's business."""

    code, title = "evaluable-not-found", "没有找到可以评价的办件"


class RatingAlreadyGiven(Conflict):
    code, title = "rating-already-given", "您已经评价过了"


class EvaluationClosed(Gone):
    code, title = "evaluation-closed", "评价期限已过"


class FirstRatingMissing(Conflict):
    code, title = "first-rating-missing", "还没有首次评价，不能追评"


class RectificationUnderWay(Conflict):
    code, title = "rectification-under-way", "单位正在整改，收到反馈后再追评"


_ERRORS: dict[Refusal, type[ServiceError]] = {
    Refusal.given_already: RatingAlreadyGiven,
    Refusal.closed: EvaluationClosed,
    Refusal.no_first_rating: FirstRatingMissing,
    Refusal.rectification_under_way: RectificationUnderWay,
}


async def note_place(
    session: AsyncSession,
    facts: EvaluableFacts,
    *,
    window_code: str | None,
    facility_id: UUID | None,
) -> EvaluableFacts:
    """Keep the window and the place where a locked service was served, unless they are known."""
    window_code = facts.window_code or window_code
    facility_id = facts.facility_id or facility_id
    await repository.note_place(session, facts.evaluable_id, window_code, facility_id)
    scores.touch(session, facts.evaluable_id)
    return replace(facts, window_code=window_code, facility_id=facility_id)


async def lock_for_rating(
    session: AsyncSession, evaluable_id: UUID, applicant_id: UUID, *, assess_number: int
) -> tuple[EvaluableFacts, Standing]:
    """Lock a service of the applicant for a rating with this number.

    Raises:
        EvaluableNotFound: it does not exist, or it is somebody else's.
        RatingAlreadyGiven, EvaluationClosed, FirstRatingMissing, RectificationUnderWay: it may not
            be given now.
    """
    facts = await repository.lock_own(session, evaluable_id, applicant_id)
    if facts is None:
        raise EvaluableNotFound
    standing = await repository.get_standing(session, evaluable_id)
    ensure_ratable(standing, assess_number)
    return facts, standing


def ensure_ratable(standing: Standing, assess_number: int) -> None:
    """Refuse a rating with this number that may not be given now.

    Raises:
        RatingAlreadyGiven, EvaluationClosed, FirstRatingMissing, RectificationUnderWay.
    """
    reason = refusal(standing, assess_number, local_day(now()))
    if reason is not None:
        raise _ERRORS[reason]


async def lock(session: AsyncSession, evaluable_id: UUID) -> tuple[EvaluableFacts, Standing]:
    """Lock a service that is known to exist, so that its ratings change one after another."""
    facts = await repository.lock(session, evaluable_id)
    assert facts is not None
    return facts, await repository.get_standing(session, evaluable_id)


async def read(session: AsyncSession, evaluable_id: UUID) -> tuple[EvaluableFacts, Standing]:
    """A service that is known to exist, as it stands."""
    facts = await repository.find(session, evaluable_id)
    assert facts is not None
    return facts, await repository.get_standing(session, evaluable_id)


async def lock_one_unrated(session: AsyncSession, today: date) -> EvaluableFacts | None:
    """Lock one service whose period passed without a rating."""
    return await repository.lock_one_unrated(session, today)


async def mark_rated(session: AsyncSession, evaluable_id: UUID) -> None:
    """Note that a first rating is there."""
    await repository.mark_rated(session, evaluable_id)


async def list_own(
    session: AsyncSession,
    applicant_id: UUID,
    *,
    case_id: UUID | None,
    after: str | None,
    limit: int,
    cipher: Cipher,
) -> Page[EvaluableRead]:
    """What a resident may rate or has rated, open ones first."""
    today = local_day(now())
    rows = await repository.list_own(
        session,
        applicant_id,
        today=today,
        case_id=case_id,
        after=_position(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    last = page[-1] if more else None
    cursor = encode_cursor(last.rank, last.opened_at, last.evaluable_id) if last else None
    return Page(items=[_read(row, today, cipher) for row in page], next=cursor)


def _position(after: str | None) -> tuple[int, datetime, UUID] | None:
    if after is None:
        return None
    rank, opened_at, evaluable_id = decode_cursor(after, 3)
    try:
        return int(bool(rank)), datetime.fromisoformat(opened_at), UUID(evaluable_id)
    except (TypeError, ValueError, AttributeError):
        raise CursorMalformed from None


def _read(row: Any, today: date, cipher: Cipher) -> EvaluableRead:
    standing = repository.standing_of(row)
    return EvaluableRead(
        id=row.evaluable_id,
        case_id=row.case_id,
        case_number=row.case_number,
        item_id=row.item_id,
        item_name=row.item_name,
        unit_name=row.unit_name,
        service_number=row.service_number,
        service_name=SERVICE_NAMES[row.service_number],
        state=state_of(standing, today),
        open_until=row.open_until,
        next_assess_number=next_assess_number(standing, today),
        code=look_up_code(cipher, row.evaluable_id),
        ratings=_ratings(standing),
        rectification=(
            OpenRectification(id=row.rectification_id, state=standing.rectification)
            if standing.rectification
            else None
        ),
    )


def _ratings(standing: Standing) -> list[GivenRating]:
    given = []
    if standing.first and standing.first.origin is Origin.resident:
        given.append(
            GivenRating(
                assess_number=FIRST,
                level=standing.first.level,
                given_on=standing.first.given_on,
                state=standing.first.state,
            )
        )
    if standing.second:
        given.append(
            GivenRating(
                assess_number=AGAIN,
                level=standing.second.level,
                given_on=standing.second.given_on,
                state=standing.second.state,
            )
        )
    return given
