"""申诉: raised by the unit with its evidence; what comes of it is in `ruling`."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Conflict, Forbidden
from servicekit.outbox import now
from servicekit.personal_data import Cipher
from services.evaluation import attachments
from services.evaluation.access import ensure_may_see, handles
from services.evaluation.attachments import AttachmentRead, AttachmentWrite
from services.evaluation.disputes import repository
from services.evaluation.disputes.reading import DisputeNotFound, summary
from services.evaluation.disputes.schemas import DisputeCreate, DisputeSummary
from services.evaluation.free_text import DISPUTE_STATEMENT
from services.evaluation.models import DisputeState
from services.evaluation.rectifications import service as rectifications
from services.evaluation.rectifications.transitions import Acting

EVIDENCE_LIMIT = 5


class DisputedAlready(Conflict):
    code, title = "disputed-already", "这条评价已经申诉过"


class ReviewBySameUnit(Forbidden):
    code, title = "review-by-same-unit", "申诉应由其他单位复核"


class RuledAlready(Conflict):
    code, title = "ruled-already", "这项申诉已有复核结论"


class TooMuchEvidence(Conflict):
    code, title = "too-much-evidence", "证据最多 5 份"


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
    return summary(await repository.find(session, dispute_id))


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
    row = await locked(session, dispute_id)
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


async def locked(session: AsyncSession, dispute_id: UUID) -> Any:
    """A dispute, locked until the commit.

    Raises:
        DisputeNotFound: there is none.
    """
    row = await repository.lock(session, dispute_id)
    if row is None:
        raise DisputeNotFound
    return row
