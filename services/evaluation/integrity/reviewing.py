"""Doubts on a supervisor's desk: kept or excluded with a reason; the scores follow by event."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongDivision
from servicekit.errors import Conflict, Forbidden, NotFound
from servicekit.outbox import now
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor
from servicekit.personal_data import Cipher
from services.evaluation.access import scope_of, supervises
from services.evaluation.calendar.rules import local_day
from services.evaluation.free_text import FLAG_REASON
from services.evaluation.integrity import repository
from services.evaluation.integrity.schemas import FlagRead, FlagReview, FlagStanding
from services.evaluation.models import Detector, FlagState
from services.evaluation.ratings import changes
from services.evaluation.settings import EvaluationSettings


class FlagNotFound(NotFound):
    code, title = "flag-not-found", "没有找到这条存疑记录"


class FlagReviewedAlready(Conflict):
    code, title = "flag-reviewed-already", "这条存疑已复核；不计入的可由他人复核恢复"


class ReviewOfOwnUnit(Forbidden):
    code, title = "review-of-own-unit", "存疑评价应由其他单位复核"


async def list_flags(
    session: AsyncSession,
    *,
    caller: Caller,
    state: FlagState,
    detector: Detector | None,
    after: str | None,
    limit: int,
) -> Page[FlagRead]:
    """Doubts of the caller's division, oldest first."""
    rows = await repository.list_flags(
        session,
        scope_of(caller),
        state=state,
        detector=detector,
        after=_position(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    cursor = encode_cursor(page[-1].flagged_at, page[-1].id) if more else None
    return Page(items=[_read(row) for row in page], next=cursor)


async def review(
    session: AsyncSession,
    flag_id: UUID,
    body: FlagReview,
    *,
    caller: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> FlagStanding:
    """Decide a doubt, and what else is doubted of the same rating.

    An exclusion can be taken back by another person; a rating that was kept stays.

    Raises:
        FlagNotFound, WrongDivision, ReviewOfOwnUnit, FlagReviewedAlready.
    """
    row = await repository.lock_flag(session, flag_id)
    if row is None:
        raise FlagNotFound
    if not supervises(caller, row.responsible_division):
        raise WrongDivision
    if caller.unit is None or caller.unit == row.unit_code:
        raise ReviewOfOwnUnit
    takes_back = (
        row.state == FlagState.excluded and body.keep and row.reviewed_by != caller.account_id
    )
    if row.state != FlagState.open and not takes_back:
        raise FlagReviewedAlready
    state = FlagState.kept if body.keep else FlagState.excluded
    await repository.close_flags(
        session,
        row.rating_id,
        flag_id,
        {
            "state": state,
            "reviewed_by": caller.account_id,
            "reviewed_by_name": caller.name,
            "reviewed_unit": caller.unit,
            "reviewed_at": now(),
            "reason": cipher.encrypt(body.reason, FLAG_REASON.context),
        },
    )
    if takes_back:
        await changes.restore(
            session,
            row.rating_id,
            reason=body.reason,
            by=caller,
            cipher=cipher,
            settings=settings,
        )
    elif not body.keep:
        await changes.exclude(
            session,
            row.rating_id,
            ground="integrity",
            reason=body.reason,
            by=caller,
            cipher=cipher,
            settings=settings,
        )
    return FlagStanding(id=flag_id, rating_id=row.rating_id, state=state)


def _position(after: str | None) -> tuple[datetime, UUID] | None:
    if after is None:
        return None
    at, flag_id = decode_cursor(after, 2)
    try:
        return datetime.fromisoformat(at), UUID(flag_id)
    except (TypeError, ValueError, AttributeError):
        raise CursorMalformed from None


def _read(row: Any) -> FlagRead:
    return FlagRead(
        id=row.id,
        rating_id=row.rating_id,
        unit_code=row.unit_code,
        detector=row.detector,
        detail=row.detail,
        level=row.level,
        given_on=row.given_on,
        state=row.state,
        flagged_on=local_day(row.flagged_at),
        reviewed_by_name=row.reviewed_by_name,
        reviewed_unit=row.reviewed_unit,
    )
