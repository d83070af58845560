"""Signing in with a code, refreshing, signing out.

None of these keeps an Idempotency-Key: a stored answer would be a stored secret. A repeated
refresh is answered again within ten seconds instead, and signing out twice is signing out.
"""

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts import service as accounts
from gateway.accounts.schemas import AccountRead
from gateway.codes import service as codes
from gateway.identity import Identity, IdentityParts, Store
from gateway.metrics import REFRESHES, SIGN_INS
from gateway.models import AccountKind
from gateway.sessions import service
from gateway.sessions.pairs import pair_for
from gateway.sessions.schemas import ResidentSignIn, SignedInRead, TokenPair, TokenRefresh
from gateway.sessions.service import OpenSession, RefreshTokenReused
from gateway.transactions import settled, transaction
from servicekit.auth import SignedIn
from servicekit.errors import ServiceError

router = APIRouter(prefix="/v1", tags=["sign-in"])


@router.post("/sign-in/residents")
async def sign_in_resident(
    body: ResidentSignIn, identity: IdentityParts, database: Store
) -> SignedInRead:
    """居民用手机验证码登录；首次登录自动建立账号。验证码只能用一次，最多输错 5 次。"""
    now = datetime.now(UTC)
    async with transaction(database) as session:
        outcome = await _redeem_and_begin(session, identity, body, now)
    SIGN_INS.labels("resident", "refused" if isinstance(outcome, ServiceError) else "ok").inc()
    account, opened = settled(outcome)
    pair = pair_for(identity, opened, now=now)
    return SignedInRead(account=account, **pair.model_dump())


async def _redeem_and_begin(
    session: AsyncSession, identity: Identity, body: ResidentSignIn, now: datetime
) -> tuple[AccountRead, OpenSession] | ServiceError:
    refusal = await codes.redeem(
        session, identity.cipher, phone=body.phone, code=body.code, now=now
    )
    if refusal is not None:
        return refusal
    account = await accounts.sign_in_resident(session, identity.cipher, phone=body.phone)
    opened = await service.begin(
        session,
        account_id=account.id,
        kind=account.kind,
        grants={"roles": ["resident"]},
        lifetimes=identity.settings.lifetimes[AccountKind.resident],
        now=now,
    )
    return accounts.read(account, identity.cipher), opened


@router.post("/tokens/refresh")
async def refresh_tokens(body: TokenRefresh, identity: IdentityParts, database: Store) -> TokenPair:
    """用 refresh_token 换一对新令牌，旧的随即作废。

    没有收到回答时，可在 10 秒内用同一个 refresh_token 再试一次，得到的是同一个新 refresh_token。
    此后再出现旧的 refresh_token，视为被他人复制，整个登录立即失效（refresh-token-reused）。
    """
    now = datetime.now(UTC)
    async with transaction(database) as session:
        outcome = await service.refresh(
            session,
            identity.cipher,
            token=body.refresh_token,
            lifetimes=identity.settings.lifetimes,
            now=now,
        )
    REFRESHES.labels(outcome.code if isinstance(outcome, ServiceError) else "ok").inc()
    if isinstance(outcome, RefreshTokenReused):
        identity.refuse_session(outcome.session_id, now)
    return pair_for(identity, settled(outcome), now=now)


@router.post("/sign-out", status_code=204)
async def sign_out(caller: SignedIn, identity: IdentityParts, database: Store) -> Response:
    """退出登录：这次登录的全部令牌作废。"""
    now = datetime.now(UTC)
    session_id = UUID(caller.session_id)
    async with transaction(database) as session:
        await service.end(session, session_id, now=now)
    identity.refuse_session(session_id, now)
    return Response(status_code=204)
