"""What must survive the browser's trip to the identity provider: sealed in a cookie.

Kept by the browser that began, so that a stranger's answer cannot be slipped to it (login CSRF),
and no gateway needs to remember anything; readable by us only.
"""

import base64
import binascii
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from servicekit.personal_data import Cipher, UndecryptableData

COOKIE = "yichuang_staff_sign_in"
LIFETIME = timedelta(minutes=10)
_CONTEXT = "cookie.staff_sign_in"


@dataclass(frozen=True, slots=True)
class SignInState:
    """One trip. Source: OpenID Connect Core 1.0 (state, nonce), RFC 7636 §4.1 (verifier)."""

    state: str
    nonce: str
    verifier: str
    began_at: float

    @property
    def challenge(self) -> str:
        """The verifier's S256 challenge."""
        digest = sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def begin(now: datetime) -> SignInState:
    """Begin a trip."""
    return SignInState(
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(48),
        now.timestamp(),
    )


def seal(trip: SignInState, cipher: Cipher) -> str:
    """The cookie's value."""
    sealed = cipher.encrypt(json.dumps(asdict(trip)), _CONTEXT)
    return base64.urlsafe_b64encode(sealed.encode()).rstrip(b"=").decode()


def unseal(cookie: str | None, state: str, cipher: Cipher, now: datetime) -> SignInState | None:
    """The trip that a cookie and the returned state belong to, or None."""
    if not cookie:
        return None
    try:
        sealed = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4)).decode()
        trip = SignInState(**json.loads(cipher.decrypt(sealed, _CONTEXT)))
    except (UndecryptableData, binascii.Error, ValueError, TypeError):
        return None
    age = now.timestamp() - trip.began_at
    is_ours = hmac.compare_digest(trip.state.encode(), state.encode())
    return trip if is_ours and 0 <= age <= LIFETIME.total_seconds() else None
