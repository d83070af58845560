"""申诉: raised by the unit, ruled by another, reversible; scores follow each ruling by event."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongDivision
from servicekit.errors import Conflict, Forbidden, NotFound, ServiceError
from servicekit.etags import StaleVersion
from servicekit.outbox import now
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor
from servicekit.personal_data import Cipher
from services.evaluation import attachments
from services.evaluation.access import ensure_may_see, handles, scope_of, supervises
from services.evaluation.attachments import AttachmentRead, AttachmentWrite
from services.evaluation.calendar.rules import local_day
from services.evaluation.disputes import repository
from services.evaluation.disputes.rules import (
    Refusal,
    Reviewing,
    reversal_refusal,
    reversed_state,
    ruling_refusal,
)
from services.evaluation.disputes.schemas import (
    DisputeCreate,
    DisputeRead,
    DisputeSummary,
    Reversal,
    Ruling,
)
from services.evaluation.free_text import DISPUTE_REVERSAL, DISPUTE_RULING, DISPUTE_STATEMENT
from services.evaluation.models import DisputeState
from services.evaluation.ratings import changes
from services.evaluation.rectifications import service as rectifications
from services.evaluation.rectifications.transitions import Acting

EVIDENCE_LIMIT = 5


class DisputeNotFound(NotFound):
    code, title = "dispute-not-found", "没有找到这项申诉"


class DisputedAlready(Conflict):
    code, title = "disputed-already", "这条评价已经申诉过"


class ReviewBySameUnit(Forbidden):
    code, title = "review-by-same-unit", "申诉应由其他单位复核"


class ReviewBySamePerson(Forbidden):
    code, title = "review-by-same-person", "申诉人、复核人不能复核自己的结论"


class RuledAlready(Conflict):
    code, title = "ruled-already", "这项申诉已有复核结论"


class NotRuled(Conflict):
    code, title = "not-ruled", "这项申诉还没有复核结论"


class ReversedAlready(Conflict):
    code, title = "reversed-already", "复核结论已推翻过一次"


class TooMuchEvidence(Conflict):
    code, title = "too-much-evidence", "证据最多 5 份"


_ERRORS: dict[Refusal, type[ServiceError]] = {
    Refusal.same_unit: ReviewBySameUnit,
    Refusal.same_person: ReviewBySamePerson,
    Refusal.ruled_already: RuledAlready,
    Refusal.not_ruled: NotRuled,
    Refusal.reversed_already: ReversedAlready,
}


async def raise_dispute(
    session: AsyncSession, matter_id: UUID, body: DisputeCreate, acting: Acting
) -> DisputeSummary:
    """Dispute the rating of a matter; its limit stands still until the ruling.

    Raises:
        RectificationNotFound, WrongRole, WrongUnit, StaleVersion, ActionNotPossible,
        DisputeUnderWay: see `rectifications.acting.begin`.
        DisputedAlready: the rating was disputed before (by its unique index).
    """
    matter, rating_id = await rectifications.pause_for_dispute(session, matter_id, acting)
    dispute_id = uuid4()
    await repository.add(
        session,
        {
            "id": dispute_id,
            "rectification_id": matter.id,
            "rating_id": rating_id,
            "unit_code": matter.facts.unit_code,
            "responsible_division": matter.responsible_division,
            "ground": body.ground,
            "statement": acting.cipher.encrypt(body.statement, DISPUTE_STATEMENT.context),
            "state": DisputeState.open,
            "version": 1,
            "raised_by": acting.caller.account_id,
            "raised_by_name": acting.caller.name,
            "raised_at": now(),
        },
    )
    return _summary(await repository.find(session, dispute_id))


async def add_evidence(
    session: AsyncSession,
    dispute_id: UUID,
    body: AttachmentWrite,
    *,
    caller: Caller,
    cipher: Cipher,
) -> AttachmentRead:
    """Add a file to a dispute of the caller's unit that waits for its ruling.

    Raises:
        DisputeNotFound, WrongUnit, WrongRole, RuledAlready, TooMuchEvidence, AttachmentUnreadable.
    """
    row = await _locked(session, dispute_id)
    ensure_may_see(caller, row.unit_code, row.responsible_division)
    if not handles(caller, row.unit_code):
        raise ReviewBySameUnit("只有申诉单位可以补充证据")
    if row.state != DisputeState.open:
        raise RuledAlready
    if len(await attachments.list_of(session, dispute_id)) >= EVIDENCE_LIMIT:
        raise TooMuchEvidence
    return await attachments.keep(
        session,
        body,
        owner_kind="dispute",
        owner_id=dispute_id,
        added_by=caller.account_id,
        cipher=cipher,
    )


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


async def rule(
    session: AsyncSession, dispute_id: UUID, body: Ruling, acting: Acting
) -> DisputeSummary:
    """复核: upheld, the rating counts no more and its matter is closed; rejected, work goes on.

    Raises:
        DisputeNotFound, WrongDivision, StaleVersion, ReviewBySameUnit, ReviewBySamePerson,
        RuledAlready.
    """
    row = await _reviewed(session, dispute_id, acting)
    reason = ruling_refusal(_reviewing(row, acting.caller))
    if reason is not None:
        raise _ERRORS[reason]
    state = DisputeState.upheld if body.upheld else DisputeState.rejected
    caller, cipher = acting.caller, acting.cipher
    await repository.change(
        session,
        dispute_id,
        {
            "state": state,
            "version": row.version + 1,
            "ruled_by": caller.account_id,
            "ruled_by_name": caller.name,
            "ruled_unit": caller.unit,
            "ruled_at": now(),
            "ruling": cipher.encrypt(body.reason, DISPUTE_RULING.context),
        },
    )
    if body.upheld:
        await _exclude(session, row, body.reason, acting)
    else:
        await rectifications.resume_after_dispute(
            session, row.rectification_id, row.raised_at, acting, note=body.reason
        )
    return _summary(await repository.find(session, dispute_id))


async def reverse(
    session: AsyncSession, dispute_id: UUID, body: Reversal, acting: Acting
) -> DisputeSummary:
    """推翻: a second reviewer turns the ruling round, once; the rating counts again, or no more.

    Raises:
        DisputeNotFound, WrongDivision, StaleVersion, ReviewBySameUnit, ReviewBySamePerson,
        NotRuled, ReversedAlready.
    """
    row = await _reviewed(session, dispute_id, acting)
    reason = reversal_refusal(_reviewing(row, acting.caller))
    if reason is not None:
        raise _ERRORS[reason]
    state = reversed_state(DisputeState(row.state))
    caller, cipher = acting.caller, acting.cipher
    await repository.change(
        session,
        dispute_id,
        {
            "state": state,
            "version": row.version + 1,
            "reversed_by": caller.account_id,
            "reversed_by_name": caller.name,
            "reversed_at": now(),
            "reversal": cipher.encrypt(body.reason, DISPUTE_REVERSAL.context),
        },
    )
    if state is DisputeState.upheld:
        await _exclude(session, row, body.reason, acting)
    else:
        await changes.restore(
            session,
            row.rating_id,
            reason=body.reason,
            by=caller,
            cipher=cipher,
            settings=acting.settings,
        )
    return _summary(await repository.find(session, dispute_id))


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
        **_summary(row).model_dump(),
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
    return Page(items=[_summary(row) for row in page], next=cursor)


def _position(after: str | None) -> tuple[datetime, UUID] | None:
    if after is None:
        return None
    at, dispute_id = decode_cursor(after, 2)
    try:
        return datetime.fromisoformat(at), UUID(dispute_id)
    except (TypeError, ValueError, AttributeError):
        raise CursorMalformed from None


async def _locked(session: AsyncSession, dispute_id: UUID) -> Any:
    row = await repository.lock(session, dispute_id)
    if row is None:
        raise DisputeNotFound
    return row


async def _reviewed(session: AsyncSession, dispute_id: UUID, acting: Acting) -> Any:
    row = await _locked(session, dispute_id)
    if not supervises(acting.caller, row.responsible_division):
        raise WrongDivision
    if row.version != acting.expected_version:
        raise StaleVersion
    return row


def _reviewing(row: Any, caller: Caller) -> Reviewing:
    return Reviewing(
        DisputeState(row.state),
        row.unit_code,
        row.raised_by,
        row.ruled_by,
        row.reversed_at is not None,
        caller.account_id,
        caller.unit,
    )


async def _exclude(session: AsyncSession, row: Any, reason: str, acting: Acting) -> None:
    await changes.exclude(
        session,
        row.rating_id,
        ground=row.ground,
        reason=reason,
        by=acting.caller,
        cipher=acting.cipher,
        settings=acting.settings,
    )


def _summary(row: Any) -> DisputeSummary:
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
