"""Invitations as staff hand them out: the token in a link, a message, a QR code or on a slip of paper."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import division_covers
from servicekit.auth import Caller, WrongDivision, WrongUnit
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.personal_data import Cipher
from services.evaluation.access import HANDLER, WINDOW_CLERK, handles, supervises
from services.evaluation.calendar.rules import local_day
from services.evaluation.evaluables import service as evaluables
from services.evaluation.facts import EvaluableFacts
from services.evaluation.invitations import drawing, repository
from services.evaluation.invitations.drawing import QrFormat
from services.evaluation.invitations.schemas import InvitationCreate, InvitationRead
from services.evaluation.invitations.service import (
    DeviceNotUsable,
    ServiceNotOpen,
    lock_invitation,
)
from services.evaluation.models import SERVICE_NAMES, RatingChannel, ServiceNumber
from services.evaluation.proofs import invitation_token, look_up_code
from services.evaluation.settings import EvaluationSettings

#: What a link leads to; the token stands behind the # and reaches no server's log.
_PAGE = "/rate"


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
        InvitationInvalid, InvitationExpired, WrongUnit, WrongDivision.
    """
    invitation = await lock_invitation(session, token, cipher)
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


async def _channel_of(
    session: AsyncSession, device_id: UUID, facts: EvaluableFacts, caller: Caller
) -> RatingChannel:
    device = await repository.find_device(session, device_id)
    if device is None or device.retired_at is not None:
        raise DeviceNotUsable
    if device.unit_code not in (facts.unit_code, caller.unit):
        raise DeviceNotUsable
    return RatingChannel(device.kind)


def _sms(facts: EvaluableFacts, link: str, code: str, expires_on: date) -> str:
    service = SERVICE_NAMES[ServiceNumber(facts.service_number)]
    return (
        f"【政务服务】请对“{facts.item_name}”{service}环节评价：{link} ，"
        f"或凭办件编号和查询码 {code} 评价，{expires_on} 前有效。评价不公开您的身份。"
    )
