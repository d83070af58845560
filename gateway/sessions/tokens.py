"""Making tokens: signed access tokens, random refresh tokens and their successors."""

import base64
import hmac
import secrets
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwt

from gateway.keys import KeyRing
from gateway.models import AccountKind
from servicekit.auth import ALGORITHM, AUDIENCE, ISSUER, PROOF_AUDIENCE
from servicekit.personal_data import Cipher

#: Recognisable, so that scanners for leaked secrets find it.
REFRESH_PREFIX = "yrt_"
_REFRESH_BYTES = 32
#: Long enough to hand a proof on over a slow network.
PROOF_SECONDS = 120


def sign_access_token(
    keys: KeyRing,
    *,
    account_id: UUID,
    kind: AccountKind,
    session_id: UUID,
    grants: dict[str, Any],
    now: datetime,
    lifetime_seconds: int,
) -> str:
    """Sign an access token. `grants` are roles, division, department, unit and name."""
    issued = int(now.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(account_id),
        "kind": kind.value,
        **{name: value for name, value in grants.items() if value is not None},
        "sid": str(session_id),
        "iat": issued,
        "exp": issued + lifetime_seconds,
        "jti": str(uuid4()),
    }
    key = keys.signing
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, claims, key)


def sign_proof(keys: KeyRing, *, account_id: UUID, mobile: str, now: datetime) -> str:
    """Sign what the sign-in has proven of a resident, for a service that they hand it to."""
    issued = int(now.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": PROOF_AUDIENCE,
        "sub": str(account_id),
        "mobile": mobile,
        "iat": issued,
        "exp": issued + PROOF_SECONDS,
    }
    key = keys.signing
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, claims, key)


def new_refresh_token() -> str:
    """A first refresh token: 256 random bits."""
    return REFRESH_PREFIX + secrets.token_urlsafe(_REFRESH_BYTES)


def successor_of(token: str, successor_id: UUID, cipher: Cipher) -> str:
    """The token that replaces another.

    Derived, not random: only hashes are stored, and a repeated refresh must be able to give the
    same successor again. Whoever lacks our key or the predecessor cannot compute it.
    """
    message = f"refresh-successor\x00{token}\x00{successor_id}".encode()
    derived = hmac.new(cipher.index_key, message, sha256).digest()
    return REFRESH_PREFIX + base64.urlsafe_b64encode(derived).rstrip(b"=").decode()


def hash_of(token: str) -> bytes:
    """What is stored of a refresh token; 256 random bits need no slow hash."""
    return sha256(token.encode()).digest()
