"""Who calls, and may they: access tokens verified here, permission as a declared dependency."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol
from uuid import UUID

import httpx
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from contracts.values import division_covers
from servicekit.errors import Forbidden, Unauthenticated, Unavailable
from servicekit.logging import logger

ISSUER = "yichuang"
AUDIENCE = "yichuang"
#: Of a proof of who somebody is: it opens nothing by itself, and a token is no proof.
PROOF_AUDIENCE = "yichuang:proof"
ALGORITHM = "ES256"
#: A token that is refreshed every ten minutes may lag this much behind our clock.
LEEWAY_SECONDS = 5
KEYS_MAX_AGE_SECONDS = 300.0
KEYS_MIN_AGE_SECONDS = 10.0
#: Before keys are asked for again by a process that has none yet.
KEYS_RETRY_SECONDS = 1.0
CACHE_LIMIT = 20_000


class TokenRefused(Unauthenticated):
    code, title = "token-invalid", "登录已失效，请重新登录"


class KeysUnavailable(Unavailable):
    code, title = "identity-unavailable", "暂时无法核对登录状态，请稍后再试"


class WrongRole(Forbidden):
    code, title = "wrong-role", "您的岗位不能办理此事"


class WrongDivision(Forbidden):
    code, title = "wrong-division", "此事不在您负责的区域内"


class WrongUnit(Forbidden):
    code, title = "wrong-unit", "此事不由您所在的单位办理"


class WrongPerson(Forbidden):
    code, title = "wrong-person", "您只能查看和办理自己的事"


@dataclass(frozen=True, slots=True)
class Caller:
    """The verified holder of an access token."""

    account_id: UUID
    kind: str
    roles: frozenset[str]
    session_id: str
    expires_at: float
    division: str | None = None
    department: str | None = None
    unit: str | None = None
    name: str | None = None

    @property
    def is_resident(self) -> bool:
        return self.kind == "resident"

    def has(self, *roles: str) -> bool:
        """Whether the caller holds one of these roles."""
        return not self.roles.isdisjoint(roles)

    def covers(self, division_code: str) -> bool:
        """Whether a division lies in the subtree the caller acts for."""
        return self.division is not None and division_covers(self.division, division_code)

    def ensure_covers(self, division_code: str) -> None:
        """Refuse a division outside the caller's subtree.

        Raises:
            WrongDivision: it lies outside.
        """
        if not self.covers(division_code):
            raise WrongDivision


class KeySource(Protocol):
    """Where public keys come from."""

    async def keys(self, *, fresh: bool) -> KeySet: ...


class StaticKeys:
    """Keys known from the start."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    async def keys(self, *, fresh: bool) -> KeySet:  # noqa: ARG002 - the protocol's signature
        return self._keys


class JwksKeys:
    """Keys published by the gateway: cached, refetched when old or when a key id is unknown."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client
        self._keys: KeySet | None = None
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def keys(self, *, fresh: bool) -> KeySet:
        """Return the key set; an old one while the gateway does not answer.

        Raises:
            KeysUnavailable: never fetched, and the gateway does not answer.
        """
        # Only one request waits for keys that are merely old; the others go on with them.
        must_wait = fresh or self._keys is None
        if self._is_due(fresh) and (must_wait or not self._lock.locked()):
            async with self._lock:
                if self._is_due(fresh):
                    await self._fetch()
        if self._keys is None:
            raise KeysUnavailable
        return self._keys

    def _is_due(self, fresh: bool) -> bool:
        now = time.monotonic()
        if self._keys is None:
            return now - self._tried_at > KEYS_RETRY_SECONDS
        limit = KEYS_MIN_AGE_SECONDS if fresh else KEYS_MAX_AGE_SECONDS
        return now - self._fetched_at > limit and now - self._tried_at > KEYS_MIN_AGE_SECONDS

    async def _fetch(self) -> None:
        try:
            answer = await self._client.get(self._url)
            answer.raise_for_status()
            self._keys = KeySet.import_key_set(answer.json())
            self._fetched_at = time.monotonic()
        except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
            logger.warning("jwks_fetch_failed", error=repr(error))
        finally:
            self._tried_at = time.monotonic()


class TokenVerifier:
    """Verifies access tokens; a verified one is remembered until it expires."""

    _claims = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
        sub={"essential": True},
    )

    def __init__(self, source: KeySource) -> None:
        self.source = source
        self._seen: OrderedDict[str, Caller] = OrderedDict()

    async def verify(self, token: str) -> Caller:
        """Return the token's holder.

        Raises:
            TokenRefused: signature, issuer, audience, time or shape is wrong.
            KeysUnavailable: no public key can be had yet.
        """
        known = self._seen.get(token)
        if known is not None:
            if known.expires_at > time.time():
                return known
            del self._seen[token]
        caller = self._caller(await self._decode(token))
        self._seen[token] = caller
        if len(self._seen) > CACHE_LIMIT:
            self._seen.popitem(last=False)
        return caller

    async def _decode(self, token: str) -> dict[str, Any]:
        try:
            return self._checked(token, await self.source.keys(fresh=False))
        except InvalidKeyIdError:  # the keys may have been rotated
            keys = await self.source.keys(fresh=True)
        except (JoseError, ValueError) as error:
            raise _refused(error) from None
        try:
            return self._checked(token, keys)
        except (JoseError, ValueError) as error:
            raise _refused(error) from None

    def _checked(self, token: str, keys: KeySet) -> dict[str, Any]:
        decoded = jwt.decode(token, keys, algorithms=[ALGORITHM])
        self._claims.validate(decoded.claims)
        return decoded.claims

    @staticmethod
    def _caller(claims: dict[str, Any]) -> Caller:
        try:
            return Caller(
                account_id=UUID(claims["sub"]),
                kind=str(claims["kind"]),
                roles=frozenset(claims["roles"]),
                session_id=str(claims.get("sid", "")),
                expires_at=float(claims["exp"]),
                division=claims.get("division"),
                department=claims.get("department"),
                unit=claims.get("unit"),
                name=claims.get("name"),
            )
        except (KeyError, TypeError, ValueError):
            raise TokenRefused("令牌里缺少必要的内容") from None


def _refused(error: Exception) -> TokenRefused:
    """The library's reason, in English, is for the log."""
    logger.info("token_refused", reason=str(error))
    return TokenRefused()


_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="访问令牌")


async def authenticate(request: Request) -> Caller | None:
    """Return the caller of a request, or None without a token; verified once per request."""
    if not hasattr(request.state, "caller"):
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            request.state.caller = None
        elif scheme.lower() != "bearer":
            raise TokenRefused("只接受 Bearer 令牌")
        else:
            verifier: TokenVerifier = request.app.state.verifier
            request.state.caller = await verifier.verify(token.strip())
    caller: Caller | None = request.state.caller
    return caller


async def _anyone(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Caller | None:
    return await authenticate(request)


async def _signed_in(caller: Annotated[Caller | None, Depends(_anyone)]) -> Caller:
    if caller is None:
        raise Unauthenticated
    return caller


#: Whoever calls, signed in or not.
MaybeCaller = Annotated[Caller | None, Depends(_anyone)]
#: Anybody who signed in.
SignedIn = Annotated[Caller, Depends(_signed_in)]


def require(*roles: str) -> Callable[[Caller], Awaitable[Caller]]:
    """Declare the roles an endpoint is for: `Annotated[Caller, Depends(require("handler"))]`.

    Division, department and unit are checked where the record is known, with
    `Caller.ensure_covers` and the feature's own rules.
    """

    async def check(caller: SignedIn) -> Caller:
        if not caller.has(*roles):
            raise WrongRole
        return caller

    return check


#: A resident acting for themselves.
Resident = Annotated[Caller, Depends(require("resident"))]
