"""What the identity endpoints work with, put together once per process."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from gateway.callers import Revocations
from gateway.codes.sms import SmsProvider
from gateway.keys import KeyRing
from gateway.settings import GatewaySettings
from gateway.staff.oidc import OidcClient
from servicekit.auth import LEEWAY_SECONDS
from servicekit.database import Database, database_of
from servicekit.personal_data import Cipher


@dataclass(frozen=True, slots=True)
class Identity:
    """Settings, secrets and outside providers of the identity endpoints."""

    settings: GatewaySettings
    cipher: Cipher
    keys: KeyRing
    revocations: Revocations
    sms: SmsProvider
    oidc: OidcClient

    @property
    def token_memory(self) -> timedelta:
        """How long after its revocation a session's access tokens must be remembered."""
        return timedelta(seconds=self.settings.access_token_seconds + LEEWAY_SECONDS)

    def refuse_session(self, session_id: UUID, now: datetime) -> None:
        """Refuse a session's access tokens on this process at once; others read it soon."""
        self.revocations.add(str(session_id), until=(now + self.token_memory).timestamp())


def _identity_of(request: Request) -> Identity:
    identity: Identity = request.app.state.identity
    return identity


def _address_of(request: Request) -> str:
    """The caller's address as the edge worked it out."""
    address: str = request.scope["client_address"]
    return address


IdentityParts = Annotated[Identity, Depends(_identity_of)]
Store = Annotated[Database, Depends(database_of)]
ClientAddress = Annotated[str, Depends(_address_of)]
