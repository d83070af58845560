"""Ratings as they are read: whole by the resident who gave them, anonymous by staff in charge."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import RatingLevel
from servicekit.auth import Caller
from servicekit.errors import NotFound
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor
from servicekit.personal_data import Cipher
from services.evaluation.access import ensure_may_see, scope_of
from services.evaluation.calendar.rules import local_day
from services.evaluation.free_text import RATING_TEXT, REVISION_REASON, REVISION_TEXT, screen
from services.evaluation.models import SERVICE_NAMES, Origin, RatingState, ServiceNumber
from services.evaluation.ratings import repository
from services.evaluation.ratings.schemas import (
    ChosenTag,
    OpenedRectification,
    RatingForStaff,
    RatingRead,
    RevisionList,
    RevisionRead,
)
from services.evaluation.tags import service as tags

#: Positions are PostgreSQL bigints.
_MAX_POSITION = 2**63 - 1


class RatingNotFound(NotFound):
    code, title = "rating-not-found", "没有找到这条评价"


async def get(
    session: AsyncSession, rating_id: UUID, *, caller: Caller, cipher: Cipher
) -> RatingRead | RatingForStaff:
    """One rating: whole for the resident who gave it, anonymous for staff in charge.

    Raises:
        RatingNotFound: it does not exist, or the caller is another resident.
        WrongRole, WrongUnit, WrongDivision: staff who are not in charge.
    """
    row = await repository.find(session, rating_id)
    if row is None:
        raise RatingNotFound
    if caller.is_resident:
        if row.applicant_id != caller.account_id or row.origin != Origin.resident:
            raise RatingNotFound
        return _own(row, cipher)
    ensure_may_see(caller, row.unit_code, row.responsible_division)
    [shown] = await for_staff(session, [row], cipher)
    return shown


async def list_for_staff(
    session: AsyncSession,
    *,
    caller: Caller,
    cipher: Cipher,
    level: RatingLevel | None,
    unit_code: str | None,
    state: RatingState | None,
    after: str | None,
    limit: int,
) -> Page[RatingForStaff]:
    """Ratings of the caller's unit or division, newest first, without who gave them."""
    rows = await repository.list_in_scope(
        session,
        scope_of(caller),
        level=level,
        unit_code=unit_code,
        state=state,
        before=_position(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    cursor = encode_cursor(page[-1].position) if more else None
    return Page(items=await for_staff(session, page, cipher), next=cursor)


async def list_revisions(
    session: AsyncSession, rating_id: UUID, *, caller: Caller, cipher: Cipher
) -> RevisionList:
    """What became of a rating: for who gave it with the words of before, for staff screened.

    Raises:
        RatingNotFound, WrongRole, WrongUnit, WrongDivision: see `get`.
    """
    rating = await get(session, rating_id, caller=caller, cipher=cipher)
    is_own = isinstance(rating, RatingRead)
    rows = await repository.list_revisions(session, rating_id)
    return RevisionList(items=[_revision(row, cipher, is_own=is_own) for row in rows])


def _revision(row: Any, cipher: Cipher, *, is_own: bool) -> RevisionRead:
    words = None
    if row.text_before:
        words = cipher.decrypt(row.text_before, REVISION_TEXT.context)
        words = words if is_own else screen(words).text
    return RevisionRead(
        number=row.number,
        action=row.action,
        state_before=row.state_before,
        state_after=row.state_after,
        level_before=row.level_before,
        level_after=row.level_after,
        text_before=words,
        reason=cipher.decrypt(row.reason, REVISION_REASON.context) if row.reason else None,
        actor_unit=row.actor_unit,
        happened_on=local_day(row.happened_at),
    )


def _position(after: str | None) -> int | None:
    if after is None:
        return None
    [position] = decode_cursor(after, 1)
    if not isinstance(position, int) or not 0 <= position <= _MAX_POSITION:
        raise CursorMalformed
    return position


def _own(row: Any, cipher: Cipher) -> RatingRead:
    opened = None
    if row.rectification_id is not None:
        opened = OpenedRectification(id=row.rectification_id, due_on=row.rectification_due_on)
    return RatingRead(
        id=row.id,
        evaluable_id=row.evaluable_id,
        assess_number=row.assess_number,
        level=row.level,
        tags=row.tags,
        text=cipher.decrypt(row.text, RATING_TEXT.context) if row.text else None,
        channel=row.channel,
        given_at=row.given_at,
        state=row.state,
        rectification=opened,
    )


async def for_staff(
    session: AsyncSession, rows: Sequence[Any], cipher: Cipher
) -> list[RatingForStaff]:
    """Rows as staff may see them: the one place that makes a rating anonymous."""
    wordings = await tags.texts_of(session, (code for row in rows for code in row.tags))
    return [_anonymous(row, wordings, cipher) for row in rows]


def _anonymous(row: Any, wordings: dict[str, str | None], cipher: Cipher) -> RatingForStaff:
    screened = screen(cipher.decrypt(row.text, RATING_TEXT.context)) if row.text else None
    return RatingForStaff(
        id=row.id,
        assess_number=row.assess_number,
        level=row.level,
        state=row.state,
        is_default=row.origin == Origin.default,
        tags=[ChosenTag(code=code, text=wordings.get(code)) for code in row.tags],
        text=screened.text if screened else None,
        has_hidden=bool(screened and screened.findings),
        channel=row.channel,
        given_on=row.given_on,
        item_id=row.item_id,
        item_name=row.item_name,
        service_name=SERVICE_NAMES[ServiceNumber(row.service_number)],
        unit_code=row.unit_code,
        unit_name=row.unit_name,
        rectification_id=row.rectification_id,
    )
