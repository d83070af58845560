"""OpenID Connect, as a client: authorization code with PKCE, ID tokens checked against the JWKS.

Source: OpenID Connect Core 1.0 §3.1, RFC 7636 (PKCE), RFC 9700 (current practice).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ValidationError

from servicekit.auth import JwksKeys
from servicekit.errors import Unauthenticated, Unavailable
from servicekit.logging import logger

SCOPE = "openid profile"
#: Asymmetric only: with HS256 the client secret would sign, with none nobody.
ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA"]
LEEWAY_SECONDS = 30
DISCOVERY_SECONDS = 3600.0


class ProviderUnavailable(Unavailable):
    code, title = "identity-provider-unavailable", "统一身份认证暂时不可用，请稍后再试"


class StaffSignInRefused(Unauthenticated):
    code, title = "staff-sign-in-refused", "登录没有成功，请重新登录"


class _Discovery(BaseModel):
    """What we need of `/.well-known/openid-configuration`."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """How the provider knows us."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str


class OidcClient:
    """Talks to one provider. Discovery is cached, keys follow their rotation."""

    def __init__(self, settings: OidcSettings, client: httpx.AsyncClient) -> None:
        self._settings = settings
        self._client = client
        self._discovery: _Discovery | None = None
        self._discovered_at = 0.0
        self._keys: JwksKeys | None = None

    @property
    def issuer(self) -> str:
        """The provider's name, which together with a subject names a person."""
        return self._settings.issuer

    async def authorization_url(
        self, *, state: str, nonce: str, challenge: str, login_hint: str | None
    ) -> str:
        """Where to send the browser.

        Raises:
            ProviderUnavailable: the provider does not answer.
        """
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.redirect_uri,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **({"login_hint": login_hint} if login_hint else {}),
        }
        endpoint = (await self._discover()).authorization_endpoint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def claims(self, *, code: str, verifier: str, nonce: str) -> Mapping[str, Any]:
        """Exchange a code and return the checked claims of its ID token.

        Raises:
            ProviderUnavailable: the provider does not answer.
            StaffSignInRefused: it refuses the code, or its ID token is not good.
        """
        discovery = await self._discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.redirect_uri,
            "code_verifier": verifier,
        }
        credentials = httpx.BasicAuth(  # form-encoded first. Source: RFC 6749 §2.3.1
            quote(self._settings.client_id, safe=""), quote(self._settings.client_secret, safe="")
        )
        try:
            answer = await self._client.post(discovery.token_endpoint, data=form, auth=credentials)
        except httpx.HTTPError as error:
            raise _unavailable(error) from error
        if answer.status_code >= 500:
            raise ProviderUnavailable
        try:
            id_token = answer.json()["id_token"]
        except (ValueError, KeyError, TypeError):
            logger.info("staff_sign_in_refused", reason="code", status=answer.status_code)
            raise StaffSignInRefused from None
        return await self._checked(str(id_token), discovery, nonce)

    async def _checked(self, id_token: str, discovery: _Discovery, nonce: str) -> Mapping[str, Any]:
        if self._keys is None:
            self._keys = JwksKeys(discovery.jwks_uri, self._client)
        try:
            try:
                claims = self._decode(id_token, await self._keys.keys(fresh=False), nonce)
            except InvalidKeyIdError:  # the provider has changed its keys
                claims = self._decode(id_token, await self._keys.keys(fresh=True), nonce)
        except (JoseError, ValueError) as error:
            logger.info("staff_sign_in_refused", reason=type(error).__name__)
            raise StaffSignInRefused from None
        return claims

    def _decode(self, id_token: str, keys: KeySet, nonce: str) -> Mapping[str, Any]:
        """Check signature and claims. Source: OpenID Connect Core 1.0 §3.1.3.7.

        Raises:
            InvalidKeyIdError: no key of that id.
            JoseError: signature, issuer, audience, time or nonce is wrong.
            ValueError: not a token at all.
        """
        decoded = jwt.decode(id_token, keys, algorithms=ALGORITHMS)
        audience = decoded.claims.get("aud")
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client_id},
            azp={
                "essential": isinstance(audience, list) and len(audience) > 1,
                "value": self._settings.client_id,
            },
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(decoded.claims)
        return decoded.claims

    async def _discover(self) -> _Discovery:
        age = time.monotonic() - self._discovered_at
        if self._discovery is not None and age < DISCOVERY_SECONDS:
            return self._discovery
        url = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            answer = await self._client.get(url)
            answer.raise_for_status()
            found = _Discovery.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            if self._discovery is not None:
                return self._discovery
            raise _unavailable(error) from error
        if found.issuer != self._settings.issuer:
            logger.error("identity_provider_misnamed", found=found.issuer)
            raise ProviderUnavailable
        if self._discovery is not None and self._discovery.jwks_uri != found.jwks_uri:
            self._keys = None
        self._discovery, self._discovered_at = found, time.monotonic()
        return found


def _unavailable(error: Exception) -> ProviderUnavailable:
    logger.warning("identity_provider_unavailable", error=type(error).__name__)
    return ProviderUnavailable()
