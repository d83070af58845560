"""Authorization codes and access tokens, in memory: they are gone when the issuer restarts."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from devstack.issuer.staff import Staff

CODE_SECONDS = 60.0
TOKEN_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody agreed to when they signed in."""

    staff: Staff
    redirect_uri: str
    code_challenge: str
    nonce: str | None
    authenticated_at: int
    expires_at: float


class Grants:
    """Codes work once and for a minute; tokens for ten."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._codes: dict[str, Grant] = {}
        self._tokens: dict[str, tuple[float, Staff]] = {}

    def issue_code(
        self, staff: Staff, *, redirect_uri: str, code_challenge: str, nonce: str | None
    ) -> str:
        self._forget_expired()
        code = secrets.token_urlsafe(32)
        now = self._now()
        self._codes[code] = Grant(
            staff, redirect_uri, code_challenge, nonce, int(now), now + CODE_SECONDS
        )
        return code

    def redeem(self, code: str, *, redirect_uri: str, code_verifier: str) -> Grant | None:
        """The grant behind a code, used up by the attempt; None when anything about it is wrong.

        Source: RFC 6749 §4.1.3, RFC 7636 §4.6.
        """
        grant = self._codes.pop(code, None)
        if grant is None or grant.expires_at < self._now() or grant.redirect_uri != redirect_uri:
            return None
        if not hmac.compare_digest(challenge(code_verifier), grant.code_challenge):
            return None
        return grant

    def issue_token(self, staff: Staff) -> str:
        token = secrets.token_urlsafe(32)
        self._tokens[token] = (self._now() + TOKEN_SECONDS, staff)
        return token

    def bearer(self, token: str) -> Staff | None:
        """Whose access token this is, while it lasts."""
        expires_at, staff = self._tokens.get(token, (0.0, None))
        return staff if expires_at >= self._now() else None

    def _forget_expired(self) -> None:
        now = self._now()
        self._codes = {k: grant for k, grant in self._codes.items() if grant.expires_at >= now}
        self._tokens = {k: held for k, held in self._tokens.items() if held[0] >= now}


def challenge(verifier: str) -> str:
    """The S256 code challenge of a verifier. Source: RFC 7636 §4.2."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
