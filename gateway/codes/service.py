"""Sending a sign-in code and redeeming it."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.codes import repository
from gateway.codes.rules import (
    CODE_DIGITS,
    CODE_LIFETIME,
    DAY,
    HOUR,
    CodeLimits,
    CodeVerdict,
    judge_code,
    wait_before_sending,
)
from gateway.models import PHONE
from gateway.problems import WithRetryAfter
from servicekit.errors import ServiceError, TooMany, Unauthenticated
from servicekit.identifiers import new_id
from servicekit.personal_data import Cipher


class CodesTooOften(WithRetryAfter, TooMany):
    code, title = "code-too-often", "验证码发送太频繁，请稍后再试"


class CodeWrong(Unauthenticated):
    code, title = "code-wrong", "验证码不正确，请核对后再输入"


class CodeExpired(Unauthenticated):
    code, title = "code-expired", "验证码已失效，请重新获取"


class CodeExhausted(Unauthenticated):
    code, title = "code-exhausted", "验证码输错次数过多，请重新获取"


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A code to be sent once the transaction has committed."""

    id: UUID
    code: str


async def issue(
    session: AsyncSession,
    cipher: Cipher,
    *,
    phone: str,
    address: str,
    limits: CodeLimits,
    now: datetime,
) -> IssuedCode:
    """Make a code for a telephone; an earlier one no longer counts.

    Concurrency: one at a time per telephone.

    Raises:
        CodesTooOften: this telephone or address has had enough.
    """
    phone_index = cipher.blind_index(phone, PHONE.context)
    address_index = cipher.blind_index(address, "sign_in_code.address")
    await repository.lock_phone(session, phone_index)
    wait = wait_before_sending(
        limits,
        to_phone=await repository.list_sent_to(session, phone_index, since=now - DAY),
        from_address=await repository.list_sent_from(session, address_index, since=now - HOUR),
        now=now,
    )
    if wait:
        raise CodesTooOften(retry_after_seconds=wait.total_seconds())
    issued = IssuedCode(new_id(), str(secrets.randbelow(10**CODE_DIGITS)).zfill(CODE_DIGITS))
    await repository.add(
        session,
        code_id=issued.id,
        phone_index=phone_index,
        address_index=address_index,
        code_hash=_hash(cipher, issued.id, issued.code),
        created_at=now,
        expires_at=now + CODE_LIFETIME,
    )
    return issued


async def withdraw(session: AsyncSession, issued: IssuedCode) -> None:
    """Forget a code that could not be sent, so that the caller may ask again at once."""
    await repository.remove(session, issued.id)


async def redeem(
    session: AsyncSession, cipher: Cipher, *, phone: str, code: str, now: datetime
) -> ServiceError | None:
    """Use up a code. Returns the refusal, which the caller raises after the commit.

    Concurrency: locks the code, so that it is redeemed once and every wrong guess counts.
    """
    stored = await repository.lock_newest(session, cipher.blind_index(phone, PHONE.context))
    if stored is None:
        return CodeExpired()
    verdict = judge_code(
        matches=hmac.compare_digest(stored.code_hash, _hash(cipher, stored.id, code)),
        attempts=stored.attempts,
        expires_at=stored.expires_at,
        is_used=stored.is_used,
        now=now,
    )
    match verdict:
        case CodeVerdict.right:
            await repository.use(session, stored.id, now=now)
            return None
        case CodeVerdict.wrong:
            await repository.count_attempt(session, stored.id)
            return CodeWrong()
        case CodeVerdict.exhausted:
            return CodeExhausted()
        case CodeVerdict.stale:
            return CodeExpired()


def _hash(cipher: Cipher, code_id: UUID, code: str) -> bytes:
    """Keyed, because a million codes are tried in a moment by whoever reads the table."""
    return cipher.blind_index(f"{code_id}:{code}", "sign_in_code.code")
