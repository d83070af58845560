"""Keys and tokens made by hand, sound and forged."""

import base64
import json
import time
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

from servicekit.auth import AUDIENCE, ISSUER


def new_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"}, private=True)


def sign(key: ECKey, header: dict | None = None, **claims) -> str:
    now = int(time.time())
    sound = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(uuid4()),
        "kind": "staff",
        "roles": ["handler"],
        "exp": now + 600,
        "iat": now,
    }
    wanted = {name: value for name, value in (sound | claims).items() if value is not None}
    return jwt.encode({"alg": "ES256", "kid": key.kid} | (header or {}), wanted, key)


def forged(header: dict, claims: dict, seal) -> str:
    """A token put together by hand, because the library would not make it."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in (header, claims)
    ]
    signature = base64.urlsafe_b64encode(seal(b".".join(parts))).rstrip(b"=")
    return b".".join([*parts, signature]).decode()
