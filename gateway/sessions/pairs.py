"""From an open session to the pair of tokens that a client gets."""

from datetime import datetime

from gateway.identity import Identity
from gateway.sessions.schemas import TokenPair
from gateway.sessions.service import OpenSession
from gateway.sessions.tokens import sign_access_token


def pair_for(identity: Identity, opened: OpenSession, *, now: datetime) -> TokenPair:
    """Sign an access token for a session and put it beside the refresh token."""
    seconds = identity.settings.access_token_seconds
    access_token = sign_access_token(
        identity.keys,
        account_id=opened.account_id,
        kind=opened.kind,
        session_id=opened.id,
        grants=opened.grants,
        now=now,
        lifetime_seconds=seconds,
    )
    return TokenPair(
        access_token=access_token, expires_in=seconds, refresh_token=opened.refresh_token
    )
