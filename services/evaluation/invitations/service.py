"""Ratings by those who hold an invitation or know the look-up code."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.errors import Conflict, Forbidden, Gone, NotFound, ServiceError, TooMany
from servicekit.outbox import now
from servicekit.personal_data import Cipher
from services.evaluation.calendar.rules import local_day
from services.evaluation.evaluables import service as evaluables
from services.evaluation.evaluables.rules import FIRST, Standing
from services.evaluation.facts import EvaluableFacts
from services.evaluation.fingerprints import Fingerprints
from services.evaluation.invitations import repository
from services.evaluation.invitations.rules import Attempts, after_failure, is_closed
from services.evaluation.invitations.schemas import (
    Opened,
    OpenRatingCreate,
    Proof,
)
from services.evaluation.models import (
    SERVICE_NAMES,
    RatingChannel,
    ServiceNumber,
)
from services.evaluation.proofs import (
    Kind,
    is_code,
    verify,
)
from services.evaluation.ratings import service as ratings
from services.evaluation.ratings.schemas import RatingReceipt
from services.evaluation.ratings.service import Way
from services.evaluation.settings import EvaluationSettings
from services.evaluation.tags import service as tags


class InvitationInvalid(Forbidden):
    code, title = "invitation-invalid", "评价凭证无效"


class InvitationExpired(Gone):
    code, title = "invitation-expired", "评价凭证已过期"


class InvitationUsed(Conflict):
    code, title = "invitation-used", "这个评价凭证已经用过"


class FollowUpImpossible(Conflict):
    """Whatever the reason: each would tell staff with the proof something of the first rating."""

    code, title = "follow-up-impossible", "现在不能凭这个凭证追评，请登录后查看"


class CodeWrong(Forbidden):
    """The same for a case that does not exist: numbers are not for trying out."""

    code, title = "code-wrong", "办件编号或查询码不正确"


class TooManyCodes(TooMany):
    code, title = "too-many-codes", "查询码输错次数过多，请一小时后再试"


class ServiceNotOpen(NotFound):
    code, title = "service-not-open", "这个办件的这个环节没有开放评价"


class DeviceNotUsable(Conflict):
    code, title = "device-not-usable", "这台设备不属于办理单位或窗口，或已停用"


async def look_up(session: AsyncSession, proof: Proof, *, cipher: Cipher) -> Opened | ServiceError:
    """What a proof opens; a refusal is returned, so that a wrong code stays counted.

    The same before and after the rating: staff who hand proofs out could ask, too.

    Raises:
        InvitationInvalid, InvitationExpired.
    """
    held = await _held(session, proof, cipher)
    if isinstance(held, ServiceError):
        return held
    facts, standing = await evaluables.lock(session, held[0])
    return opened(facts, standing)


def opened(facts: EvaluableFacts, standing: Standing) -> Opened:
    """What may be rated, without whose it is and whether it was rated."""
    return Opened(
        item_name=facts.item_name,
        service_name=SERVICE_NAMES[ServiceNumber(facts.service_number)],
        unit_name=facts.unit_name,
        open_until=standing.open_until,
    )


async def rate(
    session: AsyncSession,
    body: OpenRatingCreate,
    *,
    device: str | None,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> RatingReceipt | ServiceError:
    """Rate by proof; a refusal of the code is returned, so that it stays counted.

    Tags are checked first: an answer that depends on the proof being unused, and uses nothing up,
    would tell whoever handed it out that the resident has rated.

    Raises:
        InvitationInvalid, InvitationExpired, InvitationUsed: the token's.
        RatingAlreadyGiven, EvaluationClosed: the first rating's.
        FollowUpImpossible: the 追评's.
        RaterIsStaff, TagUnknown, TagOfOtherLevel, TagRetired: the rating's.

    Concurrency: locks the invitation, then the evaluable service.
    """
    await tags.ensure_usable(session, body.tags, body.level)
    held = await _held(session, body.proof, cipher)
    if isinstance(held, ServiceError):
        return held
    evaluable_id, invitation = held
    is_used = invitation is not None and invitation.used_at is not None
    if is_used and body.assess_number == FIRST:
        raise InvitationUsed
    facts, standing = await evaluables.lock(session, evaluable_id)
    try:
        evaluables.ensure_ratable(standing, body.assess_number)
    except ServiceError as refused:
        if body.assess_number == FIRST:
            raise
        raise FollowUpImpossible from refused
    if is_used:
        raise FollowUpImpossible
    if invitation is not None and invitation.device_id is not None:
        facts = await _placed(session, facts, invitation.device_id)
    channel = RatingChannel(invitation.channel if invitation else body.channel)
    way = Way(channel, Fingerprints.of(cipher, device=device))
    receipt = await ratings.give_to(session, facts, body, way=way, cipher=cipher, settings=settings)
    if invitation is not None:
        await repository.mark_used(session, invitation.id, receipt.given_at)
    return receipt


async def _held(
    session: AsyncSession, proof: Proof, cipher: Cipher
) -> tuple[UUID, Any | None] | ServiceError:
    if proof.token is not None:
        invitation = await lock_invitation(session, proof.token, cipher)
        return invitation.evaluable_id, invitation
    assert proof.case_number is not None
    assert proof.code is not None
    return await _by_code(session, proof.case_number, proof.service_number, proof.code, cipher)


async def lock_invitation(session: AsyncSession, token: str, cipher: Cipher) -> Any:
    """The invitation of a token, locked, whether or not it was used.

    Raises:
        InvitationInvalid, InvitationExpired.
    """
    claim = verify(cipher, Kind.invitation, token)
    if claim is None:
        raise InvitationInvalid
    if local_day(now()) > date.fromordinal(claim.number):
        raise InvitationExpired
    invitation = await repository.lock(session, claim.id)
    if invitation is None:
        raise InvitationInvalid
    return invitation


async def _by_code(
    session: AsyncSession, case_number: str, service_number: int, code: str, cipher: Cipher
) -> tuple[UUID, None] | ServiceError:
    at = now()
    attempts: Attempts | None = await repository.lock_attempts(session, case_number)
    if is_closed(attempts, at):
        return TooManyCodes()
    row = await repository.find_evaluable(session, case_number, service_number)
    if row is not None and is_code(cipher, row.id, code):
        return row.id, None
    await repository.keep_attempts(session, case_number, after_failure(attempts, at))
    return CodeWrong()


async def _placed(session: AsyncSession, facts: EvaluableFacts, device_id: UUID) -> EvaluableFacts:
    """What is rated on a device was served at its window, if it is one of the unit that did it."""
    device = await repository.find_device(session, device_id)
    assert device is not None  # a foreign key
    is_own = device.unit_code == facts.unit_code
    return await evaluables.note_place(
        session,
        facts,
        window_code=device.window_code if is_own else None,
        facility_id=device.facility_id,
    )
