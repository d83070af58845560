"""A strict identity provider: checks what a client must do right, and can do wrong itself."""

import base64
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

CLIENT_ID = "gateway+test"
CLIENT_SECRET = "a secret: with %"
REDIRECT_URI = "http://gateway.test/v1/sign-in/staff/callback"

CLERK: dict[str, Any] = {
    "sub": "clerk-1",
    "name": "王文书",
    "preferred_username": "wang",
    "roles": ["window-clerk", "mail-admin"],
    "division": "140802000000",
    "unit": "140802000000:one-window",
}


def new_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"}, private=True)


@dataclass
class Issuer:
    """ASGI application; set `claims` and the knobs before a sign-in."""

    url: str = ""
    keys: list[ECKey] = field(default_factory=lambda: [new_key("issuer-1")])
    claims: dict[str, Any] = field(default_factory=lambda: dict(CLERK))
    overrides: dict[str, Any] = field(default_factory=dict)  #: of the ID token's own claims
    signing_key: ECKey | None = None
    is_down: bool = False
    fetched_keys: int = 0
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def reset(self) -> None:
        fresh = Issuer()
        self.claims, self.overrides = fresh.claims, {}
        self.signing_key, self.is_down = None, False

    async def __call__(self, scope, receive, send):
        request = Request(scope, receive)
        handlers = {
            "/.well-known/openid-configuration": self.discovery,
            "/jwks": self.jwks,
            "/authorize": self.authorize,
            "/token": self.token,
        }
        response = (
            Response(status_code=503) if self.is_down else await handlers[scope["path"]](request)
        )
        await response(scope, receive, send)

    async def discovery(self, _: Request) -> Response:
        names = {"authorization": "authorize", "token": "token"}
        endpoints = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in names.items()}
        return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}/jwks", **endpoints})

    async def jwks(self, _: Request) -> Response:
        self.fetched_keys += 1
        return JSONResponse(KeySet(list(self.keys)).as_dict(private=False))

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["client_id"] == CLIENT_ID
        assert asked["redirect_uri"] == REDIRECT_URI
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        answer = urlencode({"code": code, "state": asked["state"], "iss": self.url})
        return RedirectResponse(f"{REDIRECT_URI}?{answer}", status_code=303)

    async def token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        basic = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        credentials = [unquote_plus(half) for half in basic.split(":", 1)]
        assert credentials == [CLIENT_ID, CLIENT_SECRET]
        asked = self._codes.pop(form["code"][0], None)
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or form["redirect_uri"] != [REDIRECT_URI]
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            **self.claims,
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.overrides,
        }
        key = self.signing_key or self.keys[0]
        id_token = jwt.encode({"alg": "ES256", "kid": self.keys[0].kid}, claims, key)
        return JSONResponse(
            {"access_token": "unused", "token_type": "Bearer", "id_token": id_token}
        )


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
