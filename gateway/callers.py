"""Who calls: tokens checked once, remembered until they expire or their session is revoked."""

import time
from collections import OrderedDict
from collections.abc import Iterable

from gateway.limits import Limiter, RateClass
from gateway.metrics import RATE_LIMITED, TOKENS
from gateway.problems import RateLimited, SessionRevoked
from servicekit.auth import Caller, TokenRefused, TokenVerifier

MAX_REMEMBERED = 50_000


class Revocations:
    """Sessions whose access tokens are refused although they have not expired.

    Only those revoked within a token's lifetime matter; `replace` is fed by
    `gateway.sessions.revocations`, `add` by a sign-out on this very process.
    """

    def __init__(self) -> None:
        self._sessions: frozenset[str] = frozenset()
        self._own: dict[str, float] = {}

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._sessions or session_id in self._own

    def add(self, session_id: str, *, until: float) -> None:
        """Refuse a session from now on, whatever the list says, until a time in Unix seconds."""
        self._own[session_id] = until

    def replace(self, sessions: Iterable[str], *, now: float) -> None:
        """Take over a newly read list."""
        self._sessions = frozenset(sessions)
        self._own = {name: until for name, until in self._own.items() if until > now}


class Gatekeeper:
    """Turns an Authorization header into a caller, or refuses it before it costs an upstream call.

    A signature check costs as much as forwarding does (`ES256`, about 0.2 ms), so what was
    verified is remembered, and addresses that bring ever new tokens are slowed down.
    """

    def __init__(self, verifier: TokenVerifier, revocations: Revocations, limiter: Limiter) -> None:
        self._verifier = verifier
        self._revocations = revocations
        self._limiter = limiter
        self._remembered: OrderedDict[str, Caller] = OrderedDict()

    async def identify(self, authorization: str, address: str) -> Caller:
        """Return the caller an Authorization header stands for.

        Raises:
            TokenRefused: not a bearer token, or not a valid one.
            SessionRevoked: valid, but signed out.
            RateLimited: too many unknown tokens from one address.
        """
        caller = self._remembered.get(authorization)
        if caller is None or caller.expires_at <= time.time():
            caller = await self._verify(authorization, address)
        if caller.session_id in self._revocations:
            TOKENS.labels("revoked").inc()
            raise SessionRevoked
        return caller

    async def _verify(self, authorization: str, address: str) -> Caller:
        self._remembered.pop(authorization, None)
        wait = self._limiter.take(RateClass.verification, address, time.monotonic())
        if wait:
            RATE_LIMITED.labels(RateClass.verification).inc()
            raise RateLimited(retry_after_seconds=wait)
        scheme, _, token = authorization.partition(" ")
        try:
            if scheme.lower() != "bearer" or not token:
                raise TokenRefused("只接受 Bearer 令牌")
            caller = await self._verifier.verify(token.strip())
        except TokenRefused:
            TOKENS.labels("refused").inc()
            raise
        TOKENS.labels("verified").inc()
        self._remembered[authorization] = caller
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return caller
