"""Invitations, and ratings by those who hold one or know the look-up code."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import division_covers
from servicekit.auth import Caller, WrongDivision, WrongUnit
from servicekit.errors import Conflict, Forbidden, Gone, NotFound, ServiceError, TooMany
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.personal_data import Cipher
from services.evaluation.access import HANDLER, WINDOW_CLERK, handles, supervises
from services.evaluation.calendar.rules import local_day
from services.evaluation.evaluables import service as evaluables
from services.evaluation.evaluables.rules import Standing, next_assess_number
from services.evaluation.facts import EvaluableFacts
from services.evaluation.fingerprints import Fingerprints
from services.evaluation.invitations import drawing, repository
from services.evaluation.invitations.drawing import QrFormat
from services.evaluation.invitations.rules import Attempts, after_failure, is_closed
from services.evaluation.invitations.schemas import (
    InvitationCreate,
    InvitationRead,
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
    invitation_token,
    is_code,
    look_up_code,
    verify,
)
from services.evaluation.ratings import service as ratings
from services.evaluation.ratings.schemas import RatingReceipt
from services.evaluation.ratings.service import Way
from services.evaluation.settings import EvaluationSettings

#: What a link leads to; the token stands behind the # and reaches no server's log.
_PAGE = "/rate"


class InvitationInvalid(Forbidden):
    code, title = "invitation-invalid", "评价凭证无效"


class InvitationExpired(Gone):
    code, title = "invitation-expired", "评价凭证已过期"


class InvitationUsed(Conflict):
    code, title = "invitation-used", "这个评价凭证已经用过"


class CodeWrong(Forbidden):
    """The same for a case that does not exist: numbers are not for trying out."""

    code, title = "code-wrong", "办件编号或查询码不正确"


class TooManyCodes(TooMany):
    code, title = "too-many-codes", "查询码输错次数过多，请一小时后再试"


class ServiceNotOpen(NotFound):
    code, title = "service-not-open", "这个办件的这个环节没有开放评价"


class DeviceNotUsable(Conflict):
    code, title = "device-not-usable", "这台设备不属于办理单位或窗口，或已停用"


async def issue(
    session: AsyncSession,
    body: InvitationCreate,
    *,
    caller: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> InvitationRead:
    """Make an invitation to a service of a case.

    Whether the service was rated already changes nothing in the answer: staff who could find that
    out case by case would know who gave the one bad rating of a day. Who uses the token is told.

    Raises:
        ServiceNotOpen: no such case, or no such service of it.
        WrongUnit, WrongDivision: it is not the caller's to serve.
        DeviceNotUsable: the device is of another place, or retired.
    """
    row = await repository.find_evaluable(session, body.case_number, body.service_number)
    if row is None:
        raise ServiceNotOpen
    ensure_serves(caller, row)
    facts, _ = await evaluables.read(session, row.id)
    channel: RatingChannel = body.channel
    if body.device_id is not None:
        channel = await _channel_of(session, body.device_id, facts, caller)
    # The same number of days for everybody: the service's own period decides when it is used.
    expires_on = local_day(now()) + timedelta(days=settings.supplement_days)
    invitation_id = new_id()
    await repository.add(
        session,
        {
            "id": invitation_id,
            "evaluable_id": row.id,
            "channel": channel,
            "issued_at": now(),
            "expires_on": expires_on,
            "issued_by": caller.account_id,
            "device_id": body.device_id,
        },
    )
    token = invitation_token(cipher, invitation_id, expires_on)
    link = f"{settings.portal_url.rstrip('/')}{_PAGE}#{token}"
    code = look_up_code(cipher, row.id)
    return InvitationRead(
        token=token,
        link=link,
        code=code,
        sms_text=_sms(facts, link, code, expires_on),
        channel=channel,
        expires_on=expires_on,
    )


def ensure_serves(caller: Caller, row: Any) -> None:
    """Refuse staff who do not serve this resident: another unit, or a window of another place.

    Raises:
        WrongUnit, WrongDivision: they do not.
    """
    if handles(caller, row.unit_code):
        return
    if caller.has(WINDOW_CLERK) and _near(caller, row.division_code):
        return
    raise WrongUnit if caller.has(HANDLER) else WrongDivision


def _near(caller: Caller, division_code: str) -> bool:
    return caller.division is not None and division_covers(caller.division, division_code)


async def draw(
    session: AsyncSession,
    token: str,
    qr_format: QrFormat,
    *,
    caller: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> bytes:
    """The QR code of an invitation, for who may have issued it.

    Raises:
        InvitationInvalid, InvitationExpired, InvitationUsed, WrongUnit, WrongDivision.
    """
    invitation = await _invitation(session, token, cipher)
    facts, _ = await evaluables.lock(session, invitation.evaluable_id)
    if not supervises(caller, facts.responsible_division):
        ensure_serves(caller, facts)
    link = f"{settings.portal_url.rstrip('/')}{_PAGE}#{token}"
    if qr_format is QrFormat.svg:
        return drawing.svg(link)
    if qr_format is QrFormat.png:
        return drawing.png(link)
    return await drawing.slip(
        link,
        item=facts.item_name,
        service=SERVICE_NAMES[ServiceNumber(facts.service_number)],
        until=str(invitation.expires_on),
        code=look_up_code(cipher, facts.evaluable_id),
    )


async def look_up(session: AsyncSession, proof: Proof, *, cipher: Cipher) -> Opened | ServiceError:
    """What a proof opens; a refusal is returned, so that a wrong code stays counted.

    Raises:
        InvitationInvalid, InvitationExpired, InvitationUsed.
    """
    held = await _held(session, proof, cipher)
    if isinstance(held, ServiceError):
        return held
    facts, standing = await evaluables.lock(session, held[0])
    return opened(facts, standing)


def opened(facts: EvaluableFacts, standing: Standing) -> Opened:
    """What may be rated, without whose it is."""
    return Opened(
        item_name=facts.item_name,
        service_name=SERVICE_NAMES[ServiceNumber(facts.service_number)],
        unit_name=facts.unit_name,
        next_assess_number=next_assess_number(standing, local_day(now())),
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

    Raises:
        InvitationInvalid, InvitationExpired, InvitationUsed: the token's.
        RatingAlreadyGiven, EvaluationClosed, FirstRatingMissing, RectificationUnderWay,
        RaterIsStaff, TagUnknown, TagOfOtherLevel, TagRetired: the rating's.

    Concurrency: locks the invitation, then the evaluable service.
    """
    held = await _held(session, body.proof, cipher)
    if isinstance(held, ServiceError):
        return held
    evaluable_id, invitation = held
    facts, standing = await evaluables.lock(session, evaluable_id)
    evaluables.ensure_ratable(standing, body.assess_number)
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
        invitation = await _invitation(session, proof.token, cipher)
        return invitation.evaluable_id, invitation
    assert proof.case_number is not None
    assert proof.code is not None
    return await _by_code(session, proof.case_number, proof.service_number, proof.code, cipher)


async def _invitation(session: AsyncSession, token: str, cipher: Cipher) -> Any:
    claim = verify(cipher, Kind.invitation, token)
    if claim is None:
        raise InvitationInvalid
    if local_day(now()) > date.fromordinal(claim.number):
        raise InvitationExpired
    invitation = await repository.lock(session, claim.id)
    if invitation is None:
        raise InvitationInvalid
    if invitation.used_at is not None:
        raise InvitationUsed
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


async def _channel_of(
    session: AsyncSession, device_id: UUID, facts: EvaluableFacts, caller: Caller
) -> RatingChannel:
    device = await repository.find_device(session, device_id)
    if device is None or device.retired_at is not None:
        raise DeviceNotUsable
    if device.unit_code not in (facts.unit_code, caller.unit):
        raise DeviceNotUsable
    return RatingChannel(device.kind)


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


def _sms(facts: EvaluableFacts, link: str, code: str, expires_on: date) -> str:
    service = SERVICE_NAMES[ServiceNumber(facts.service_number)]
    return (
        f"【政务服务】请对“{facts.item_name}”{service}环节评价：{link} ，"
        f"或凭办件编号和查询码 {code} 评价，{expires_on} 前有效。评价不公开您的身份。"
    )
