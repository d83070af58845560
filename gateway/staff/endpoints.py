"""The browser's trip to the identity provider and back."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from gateway.accounts import service as accounts
from gateway.identity import IdentityParts, Store
from gateway.metrics import SIGN_INS
from gateway.models import AccountKind
from gateway.sessions.pairs import pair_for
from gateway.sessions.schemas import SignedInRead
from gateway.staff import service, states
from gateway.staff.oidc import StaffSignInRefused
from gateway.staff.rules import ClaimsUnusable, read_claims
from gateway.transactions import transaction
from servicekit.logging import logger

router = APIRouter(prefix="/v1", tags=["sign-in"])
COOKIE_PATH = "/v1/sign-in/staff"


@router.get("/sign-in/staff", status_code=302, response_class=RedirectResponse)
async def begin_staff_sign_in(
    identity: IdentityParts,
    login_hint: Annotated[str | None, Query(max_length=128, description="账号提示")] = None,
) -> Response:
    """工作人员登录：转到统一身份认证。"""
    now = datetime.now(UTC)
    trip = states.begin(now)
    url = await identity.oidc.authorization_url(
        state=trip.state, nonce=trip.nonce, challenge=trip.challenge, login_hint=login_hint
    )
    response = RedirectResponse(url, status_code=302)
    response.set_cookie(
        states.COOKIE,
        states.seal(trip, identity.cipher),
        max_age=int(states.LIFETIME.total_seconds()),
        path=COOKIE_PATH,
        secure=identity.settings.is_public_https,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/sign-in/staff/callback")
async def finish_staff_sign_in(
    request: Request,
    response: Response,
    identity: IdentityParts,
    database: Store,
    state: Annotated[str, Query(max_length=256)],
    code: Annotated[str | None, Query(max_length=4096)] = None,
    error: Annotated[str | None, Query(max_length=256)] = None,
    iss: Annotated[str | None, Query(max_length=512, description="RFC 9207")] = None,
) -> SignedInRead:
    """统一身份认证转回这里，换取本系统的令牌。"""
    now = datetime.now(UTC)
    trip = states.unseal(request.cookies.get(states.COOKIE), state, identity.cipher, now)
    if trip is None or code is None or iss not in (None, identity.oidc.issuer):
        SIGN_INS.labels("staff", "refused").inc()
        logger.info("staff_sign_in_refused", reason=error or "state")
        raise StaffSignInRefused
    proven = await identity.oidc.claims(code=code, verifier=trip.verifier, nonce=trip.nonce)
    try:
        claims = read_claims(proven)
    except ClaimsUnusable as reason:
        SIGN_INS.labels("staff", "refused").inc()
        raise service.StaffNotEntitled(f"{service.StaffNotEntitled.title}（{reason}）") from None
    async with transaction(database) as session:
        account, opened = await service.sign_in(
            session,
            issuer=identity.oidc.issuer,
            claims=claims,
            lifetimes=identity.settings.lifetimes[AccountKind.staff],
            now=now,
        )
    SIGN_INS.labels("staff", "ok").inc()
    response.delete_cookie(states.COOKIE, path=COOKIE_PATH)
    pair = pair_for(identity, opened, now=now)
    return SignedInRead(account=accounts.read(account, identity.cipher), **pair.model_dump())
