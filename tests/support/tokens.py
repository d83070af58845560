"""Access tokens for tests: signed like the gateway's, by a key made for the test run."""

import time
from functools import cache
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from servicekit.auth import (
    ALGORITHM,
    AUDIENCE,
    ISSUER,
    PROOF_AUDIENCE,
    StaticKeys,
    TokenVerifier,
)


@cache
def signing_key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "test-key", "use": "sig"}, private=True)


def verifier() -> TokenVerifier:
    return TokenVerifier(StaticKeys(KeySet([signing_key()])))


def token(
    *roles: str,
    account_id: UUID | None = None,
    kind: str = "staff",
    division: str | None = "140802000000",
    department: str | None = None,
    unit: str | None = None,
    name: str | None = "测试人员",
    expires_in: int = 6 * 3600,  # also one made at collection lasts for the whole run
    key: ECKey | None = None,
) -> str:
    """Sign an access token; `token("handler", unit="140802000000:disabled-federation")`.

    `key` is the gateway's own where real processes verify it.
    """
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(account_id or uuid4()),
        "kind": kind,
        "roles": list(roles),
        "division": division,
        "department": department,
        "unit": unit,
        "name": name,
        "sid": str(uuid4()),
        "iat": now,
        "exp": now + expires_in,
        "jti": str(uuid4()),
    }
    key = key or signing_key()
    header = {"alg": ALGORITHM, "kid": key.kid}
    return jwt.encode(header, {k: v for k, v in claims.items() if v is not None}, key)


def proof(account_id: UUID, mobile: str, *, expires_in: int = 120) -> str:
    """What the gateway proves of a resident, signed like its own."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": PROOF_AUDIENCE,
        "sub": str(account_id),
        "mobile": mobile,
        "iat": now,
        "exp": now + expires_in,
    }
    key = signing_key()
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key)


def bearer(*roles: str, **claims) -> dict[str, str]:
    """Headers of a staff member."""
    return {"Authorization": f"Bearer {token(*roles, **claims)}"}


def resident(account_id: UUID | None = None, **claims) -> dict[str, str]:
    """Headers of a resident."""
    return bearer("resident", account_id=account_id, kind="resident", division=None, **claims)
