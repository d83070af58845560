"""Reading disputes: by the unit that raised them, and by those in charge of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import NotFound
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor
from servicekit.personal_data import Cipher
from services.evaluation import attachments
from services.evaluation.access import ensure_may_see, scope_of
from services.evaluation.calendar.rules import local_day
from services.evaluation.disputes import repository
from services.evaluation.disputes.schemas import DisputeRead, DisputeSummary
from services.evaluation.free_text import DISPUTE_REVERSAL, DISPUTE_RULING, DISPUTE_STATEMENT
from services.evaluation.models import DisputeState


class DisputeNotFound(NotFound):
    code, title = "dispute-not-found", "没有找到这项申诉"


async def get(
    session: AsyncSession, dispute_id: UUID, *, caller: Caller, cipher: Cipher
) -> DisputeRead:
    """One dispute.

    Raises:
        DisputeNotFound, WrongUnit, WrongDivision, WrongRole.
    """
    row = await repository.find(session, dispute_id)
    if row is None:
        raise DisputeNotFound
    ensure_may_see(caller, row.unit_code, row.responsible_division)
    return DisputeRead(
        **summary(row).model_dump(),
        statement=cipher.decrypt(row.statement, DISPUTE_STATEMENT.context),
        raised_by_name=row.raised_by_name,
        ruling=cipher.decrypt(row.ruling, DISPUTE_RULING.context) if row.ruling else None,
        ruled_by_name=row.ruled_by_name,
        ruled_unit=row.ruled_unit,
        reversal=cipher.decrypt(row.reversal, DISPUTE_REVERSAL.context) if row.reversal else None,
        reversed_by_name=row.reversed_by_name,
        evidence=await attachments.list_of(session, dispute_id),
    )


async def list_for_staff(
    session: AsyncSession,
    *,
    caller: Caller,
    state: DisputeState | None,
    after: str | None,
    limit: int,
) -> Page[DisputeSummary]:
    """Disputes of the caller's unit or division, oldest first."""
    rows = await repository.list_in_scope(
        session, scope_of(caller), state=state, after=_position(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    cursor = encode_cursor(page[-1].raised_at, page[-1].id) if more else None
    return Page(items=[summary(row) for row in page], next=cursor)


def _position(after: str | None) -> tuple[datetime, UUID] | None:
    if after is None:
        return None
    at, dispute_id = decode_cursor(after, 2)
    try:
        return datetime.fromisoformat(at), UUID(dispute_id)
    except (TypeError, ValueError, AttributeError):
        raise CursorMalformed from None


async def read_evidence(
    session: AsyncSession, dispute_id: UUID, attachment_id: UUID, *, caller: Caller, cipher: Cipher
) -> tuple[str, bytes]:
    """Media type and bytes of a piece of evidence, for the unit and for supervision.

    Raises:
        DisputeNotFound, WrongUnit, WrongDivision, WrongRole.
    """
    row = await repository.find(session, dispute_id)
    if row is None:
        raise DisputeNotFound
    ensure_may_see(caller, row.unit_code, row.responsible_division)
    found = await attachments.content_of(session, dispute_id, attachment_id, cipher)
    if found is None:
        raise DisputeNotFound
    return found


def summary(row: Any) -> DisputeSummary:
    """A dispute without what was written in it."""
    return DisputeSummary(
        id=row.id,
        rectification_id=row.rectification_id,
        rating_id=row.rating_id,
        unit_code=row.unit_code,
        ground=row.ground,
        state=row.state,
        is_reversed=row.reversed_at is not None,
        raised_on=local_day(row.raised_at),
        version=row.version,
    )
