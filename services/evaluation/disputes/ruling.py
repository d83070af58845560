"""复核 and 推翻: ruled by another unit, turned round once by a third person; scores follow."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongDivision
from servicekit.errors import Conflict, Forbidden, ServiceError
from servicekit.etags import StaleVersion
from servicekit.outbox import now
from services.evaluation.access import supervises
from services.evaluation.disputes import repository
from services.evaluation.disputes.reading import summary
from services.evaluation.disputes.rules import (
    Refusal,
    Reviewing,
    reversal_refusal,
    reversed_state,
    ruling_refusal,
)
from services.evaluation.disputes.schemas import DisputeSummary, Reversal, Ruling
from services.evaluation.disputes.service import ReviewBySameUnit, RuledAlready, locked
from services.evaluation.free_text import DISPUTE_REVERSAL, DISPUTE_RULING
from services.evaluation.models import DisputeState
from services.evaluation.ratings import changes
from services.evaluation.rectifications import service as rectifications
from services.evaluation.rectifications.transitions import Acting


class ReviewBySamePerson(Forbidden):
    code, title = "review-by-same-person", "申诉人、复核人不能复核自己的结论"


class NotRuled(Conflict):
    code, title = "not-ruled", "这项申诉还没有复核结论"


class ReversedAlready(Conflict):
    code, title = "reversed-already", "复核结论已推翻过一次"


_ERRORS: dict[Refusal, type[ServiceError]] = {
    Refusal.same_unit: ReviewBySameUnit,
    Refusal.same_person: ReviewBySamePerson,
    Refusal.ruled_already: RuledAlready,
    Refusal.not_ruled: NotRuled,
    Refusal.reversed_already: ReversedAlready,
}


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
    return summary(await repository.find(session, dispute_id))


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
    return summary(await repository.find(session, dispute_id))


async def _reviewed(session: AsyncSession, dispute_id: UUID, acting: Acting) -> Any:
    row = await locked(session, dispute_id)
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
