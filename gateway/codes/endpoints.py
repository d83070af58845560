"""Asking for a sign-in code."""

from datetime import UTC, datetime

from fastapi import APIRouter

from gateway.addresses import limit_key
from gateway.codes import service
from gateway.codes.rules import CODE_LIFETIME
from gateway.codes.schemas import CodeCreate, CodeSent
from gateway.codes.sms import SmsUnavailable
from gateway.identity import ClientAddress, IdentityParts, Store
from gateway.transactions import transaction

router = APIRouter(prefix="/v1", tags=["sign-in"])


@router.post("/sign-in/codes", status_code=202)
async def send_code(
    body: CodeCreate, identity: IdentityParts, database: Store, address: ClientAddress
) -> CodeSent:
    """向手机发送 6 位登录验证码。同一手机、同一网络地址都有发送次数限制。

    不保存 Idempotency-Key：重复请求由发送间隔挡住（429，附 Retry-After）。
    """
    limits = identity.settings.code_limits
    async with transaction(database) as session:
        issued = await service.issue(
            session,
            identity.cipher,
            phone=body.phone,
            address=limit_key(address),
            limits=limits,
            now=datetime.now(UTC),
        )
    try:
        await identity.sms.send_code(message_id=issued.id, phone=body.phone, code=issued.code)
    except SmsUnavailable:
        async with transaction(database) as session:
            await service.withdraw(session, issued)
        raise
    return CodeSent(
        expires_in=int(CODE_LIFETIME.total_seconds()),
        resend_after=int(limits.resend_after.total_seconds()),
    )
