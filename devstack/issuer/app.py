"""The issuer's endpoints: discovery, keys, authorization code with PKCE, tokens, user info.

Source: OpenID Connect Core 1.0 §3.1, Discovery 1.0 §4; RFC 6749 §4.1 and §5.2; RFC 7636.
"""

import base64
import hmac
import json
import time
from typing import Any
from urllib.parse import unquote, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from devstack.issuer import pages
from devstack.issuer.grants import TOKEN_SECONDS, Grant, Grants
from devstack.issuer.settings import IssuerSettings
from devstack.issuer.staff import load_staff

ALGORITHM = "ES256"
PASSED_ON = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)


def create_app(settings: IssuerSettings) -> Starlette:
    """Build the issuer for one client."""
    issuer = Issuer(settings)
    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", issuer.discovery),
            Route("/jwks.json", issuer.keys),
            Route("/authorize", issuer.authorize, methods=["GET", "POST"]),
            Route("/token", issuer.token, methods=["POST"]),
            Route("/userinfo", issuer.userinfo, methods=["GET", "POST"]),
        ]
    )


class Issuer:
    """The endpoints and what they share."""

    def __init__(self, settings: IssuerSettings) -> None:
        self._settings = settings
        self._staff = load_staff(settings.staff_file)
        self._grants = Grants()
        self._keys = KeySet.import_key_set(json.loads(settings.keys_file.read_text()))

    async def discovery(self, _: Request) -> Response:
        url = self._settings.url
        return JSONResponse(
            {
                "issuer": url,
                "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token",
                "userinfo_endpoint": f"{url}/userinfo",
                "jwks_uri": f"{url}/jwks.json",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "scopes_supported": ["openid", "profile"],
                "token_endpoint_auth_methods_supported": [
                    "client_secret_basic",
                    "client_secret_post",
                ],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
                "claims_supported": [
                    *("sub", "name", "preferred_username"),
                    *("roles", "division", "department", "unit"),
                ],
            }
        )

    async def keys(self, _: Request) -> Response:
        return JSONResponse(self._keys.as_dict(private=False))

    async def authorize(self, request: Request) -> Response:
        """Show the staff, and send the one who was chosen back with a code."""
        given = await request.form() if request.method == "POST" else request.query_params
        asked = {name: str(given[name]) for name in PASSED_ON if name in given}
        refused = self._refuse_client(asked)
        if refused:
            return HTMLResponse(pages.refusal(refused), status_code=400)
        wrong = _refuse_request(asked)
        if wrong:
            return self._send_back(asked, error="invalid_request", error_description=wrong)
        if request.method == "GET":
            return HTMLResponse(pages.sign_in(self._staff.values(), asked))
        person = self._staff.get(str(given.get("username")))
        if person is None:
            return self._send_back(asked, error="access_denied")
        code = self._grants.issue_code(
            person,
            redirect_uri=asked["redirect_uri"],
            code_challenge=asked["code_challenge"],
            nonce=asked.get("nonce"),
        )
        return self._send_back(asked, code=code)

    async def token(self, request: Request) -> Response:
        """Exchange a code for tokens."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not self._is_our_client(request, form):
            return _error("invalid_client", status=401)
        if form.get("grant_type") != "authorization_code":
            return _error("unsupported_grant_type")
        grant = self._grants.redeem(
            form.get("code", ""),
            redirect_uri=form.get("redirect_uri", ""),
            code_verifier=form.get("code_verifier", ""),
        )
        if grant is None:
            return _error("invalid_grant")
        return JSONResponse(
            {
                "access_token": self._grants.issue_token(grant.staff),
                "token_type": "Bearer",
                "expires_in": TOKEN_SECONDS,
                "id_token": self._id_token(grant),
            },
            headers={"Cache-Control": "no-store"},
        )

    async def userinfo(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        person = self._grants.bearer(token) if scheme.lower() == "bearer" else None
        if person is None:
            return Response(
                status_code=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
            )
        return JSONResponse(person.claims())

    def _refuse_client(self, asked: dict[str, str]) -> str | None:
        """Why the browser must not be sent back. Source: RFC 6749 §4.1.2.1."""
        if asked.get("client_id") != self._settings.client_id:
            return f"未登记的应用：{asked.get('client_id', '（空）')}"
        if asked.get("redirect_uri") != self._settings.redirect_uri:
            return f"未登记的返回地址：{asked.get('redirect_uri', '（空）')}"
        return None

    def _send_back(self, asked: dict[str, str], **answer: str) -> Response:
        query = answer | {"iss": self._settings.url}
        if "state" in asked:
            query["state"] = asked["state"]
        target = asked["redirect_uri"]
        separator = "&" if "?" in target else "?"
        return RedirectResponse(f"{target}{separator}{urlencode(query)}", status_code=303)

    def _is_our_client(self, request: Request, form: dict[str, str]) -> bool:
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                decoded = base64.b64decode(value, validate=True).decode()
            except ValueError:
                return False
            # Source: RFC 6749 §2.3.1: both halves are form-encoded first.
            name, secret = (unquote(half) for half in decoded.partition(":")[::2])
        wanted = self._settings.client_secret.get_secret_value()
        return name == self._settings.client_id and hmac.compare_digest(
            secret.encode(), wanted.encode()
        )

    def _id_token(self, grant: Grant) -> str:
        now = int(time.time())
        key = self._keys.keys[0]
        assert isinstance(key, ECKey)
        claims: dict[str, Any] = grant.staff.claims() | {
            "iss": self._settings.url,
            "aud": self._settings.client_id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "auth_time": grant.authenticated_at,
        }
        if grant.nonce is not None:
            claims["nonce"] = grant.nonce
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key)


def _refuse_request(asked: dict[str, str]) -> str | None:
    if asked.get("response_type") != "code":
        return "response_type must be code"
    if "openid" not in asked.get("scope", "").split():
        return "scope must contain openid"
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        return "PKCE with S256 is required"
    return None


def _error(code: str, *, status: int = 400) -> Response:
    """An error of the token endpoint. Source: RFC 6749 §5.2."""
    return JSONResponse({"error": code}, status_code=status, headers={"Cache-Control": "no-store"})
