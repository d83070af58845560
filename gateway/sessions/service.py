"""Opening, refreshing and ending sessions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts.service import AccountSuspended
from gateway.models import AccountKind, AccountStatus, RevocationReason
from gateway.problems import SessionRevoked
from gateway.sessions import repository
from gateway.sessions.repository import StoredRefreshToken
from gateway.sessions.rules import Lifetimes, RefreshVerdict, judge_refresh
from gateway.sessions.tokens import hash_of, new_refresh_token, successor_of
from servicekit.errors import ServiceError, Unauthenticated
from servicekit.identifiers import new_id
from servicekit.personal_data import Cipher


class RefreshTokenInvalid(Unauthenticated):
    code, title = "refresh-token-invalid", "登录已过期，请重新登录"


class RefreshTokenReused(Unauthenticated):
    """The family has been revoked: a copy of the token is in other hands."""

    code, title = "refresh-token-reused", "为保护您的账号，已退出登录，请重新登录"

    def __init__(self, session_id: UUID) -> None:
        super().__init__()
        self.session_id = session_id


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session with the refresh token that the client is to keep."""

    id: UUID
    account_id: UUID
    kind: AccountKind
    grants: dict[str, Any]
    refresh_token: str


async def begin(
    session: AsyncSession,
    *,
    account_id: UUID,
    kind: AccountKind,
    grants: dict[str, Any],
    lifetimes: Lifetimes,
    now: datetime,
) -> OpenSession:
    """Open a session for somebody who has just proven who they are."""
    opened = OpenSession(new_id(), account_id, kind, grants, new_refresh_token())
    ends_at = now + lifetimes.whole
    await repository.add_session(
        session,
        session_id=opened.id,
        account_id=account_id,
        grants=grants,
        now=now,
        expires_at=ends_at,
    )
    await repository.add_token(
        session,
        token_id=new_id(),
        session_id=opened.id,
        token_hash=hash_of(opened.refresh_token),
        now=now,
        expires_at=min(now + lifetimes.idle, ends_at),
    )
    return opened


async def refresh(
    session: AsyncSession,
    cipher: Cipher,
    *,
    token: str,
    lifetimes: dict[AccountKind, Lifetimes],
    now: datetime,
) -> OpenSession | ServiceError:
    """Exchange a refresh token. Returns refusals, which the caller raises after the commit.

    The lost answer: shown again within ten seconds, a used token gives the same successor as the
    first time (`rules.judge_refresh` says why that is safe), so that a phone in a lift, or two
    tabs that refresh at once, stay signed in. Later, or once the successor was used, it means a
    stolen copy and ends the whole session.

    Concurrency: locks the token; of two refreshes at once the second repeats the first's answer.
    """
    stored = await repository.lock_token(session, hash_of(token))
    if stored is None:
        return RefreshTokenInvalid()
    if stored.status is not AccountStatus.active:
        await repository.revoke(
            session, stored.session_id, reason=RevocationReason.account_suspended, now=now
        )
        return AccountSuspended()
    match judge_refresh(stored.facts, now):
        case RefreshVerdict.revoked:
            return SessionRevoked()
        case RefreshVerdict.expired:
            return RefreshTokenInvalid()
        case RefreshVerdict.reused:
            await repository.revoke(
                session, stored.session_id, reason=RevocationReason.token_reused, now=now
            )
            return RefreshTokenReused(stored.session_id)
        case RefreshVerdict.repeat:
            assert stored.successor_id is not None
            return _open(stored, successor_of(token, stored.successor_id, cipher))
        case RefreshVerdict.rotate:
            return await _rotate(session, cipher, stored, token, lifetimes[stored.kind], now)


async def end(session: AsyncSession, session_id: UUID, *, now: datetime) -> None:
    """Sign out: the session's refresh tokens are worth nothing from now on."""
    await repository.revoke(session, session_id, reason=RevocationReason.signed_out, now=now)


async def _rotate(
    session: AsyncSession,
    cipher: Cipher,
    stored: StoredRefreshToken,
    token: str,
    lifetimes: Lifetimes,
    now: datetime,
) -> OpenSession:
    successor_id = new_id()
    successor = successor_of(token, successor_id, cipher)
    await repository.add_token(
        session,
        token_id=successor_id,
        session_id=stored.session_id,
        token_hash=hash_of(successor),
        now=now,
        expires_at=min(now + lifetimes.idle, stored.facts.session_expires_at),
    )
    await repository.use_token(session, stored.id, successor_id=successor_id, now=now)
    return _open(stored, successor)


def _open(stored: StoredRefreshToken, refresh_token: str) -> OpenSession:
    return OpenSession(
        stored.session_id, stored.account_id, stored.kind, stored.grants, refresh_token
    )
