"""Queries on sessions and their refresh tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.models import AccountKind, AccountStatus, RevocationReason
from gateway.sessions.rules import RefreshFacts
from servicekit.database import to_json

_ADD_SESSION = text(
    "INSERT INTO session (id, account_id, grants, created_at, expires_at) "
    "VALUES (:id, :account_id, CAST(:grants AS jsonb), :now, :expires_at)"
)
_ADD_TOKEN = text(
    "INSERT INTO refresh_token (id, session_id, token_hash, issued_at, expires_at) "
    "VALUES (:id, :session_id, :token_hash, :now, :expires_at)"
)
_LOCK_TOKEN = text(
    "SELECT token.id, token.session_id, token.used_at, token.expires_at, token.successor_id, "
    "successor.used_at IS NOT NULL AS is_successor_used, session.grants, "
    "session.expires_at AS session_expires_at, session.revoked_at, "
    "account.id AS account_id, account.kind, account.status "
    "FROM refresh_token AS token JOIN session ON session.id = token.session_id "
    "JOIN account ON account.id = session.account_id "
    "LEFT JOIN refresh_token AS successor ON successor.id = token.successor_id "
    "WHERE token.token_hash = :token_hash FOR UPDATE OF token"
).columns(grants=JSONB)
_USE_TOKEN = text(
    "UPDATE refresh_token SET used_at = :now, successor_id = :successor_id WHERE id = :id"
)
_REVOKE = text(
    "UPDATE session SET revoked_at = :now, revoked_reason = :reason "
    "WHERE id = :id AND revoked_at IS NULL"
)
_REVOKED = text("SELECT id FROM session WHERE revoked_at > now() - CAST(:within AS interval)")
_PURGE = (
    text("DELETE FROM session WHERE least(expires_at, revoked_at) < now() - interval '30 days'"),
    text("DELETE FROM refresh_token WHERE expires_at < now() - interval '1 day'"),
    text("DELETE FROM sign_in_code WHERE created_at < now() - interval '2 days'"),
)
_PURGE_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended('gateway.purge', 0))")


@dataclass(frozen=True, slots=True)
class StoredRefreshToken:
    """A refresh token with its session and account."""

    id: UUID
    session_id: UUID
    successor_id: UUID | None
    facts: RefreshFacts
    grants: dict[str, Any]
    account_id: UUID
    kind: AccountKind
    status: AccountStatus


async def add_session(
    session: AsyncSession,
    *,
    session_id: UUID,
    account_id: UUID,
    grants: dict[str, Any],
    now: datetime,
    expires_at: datetime,
) -> None:
    """Begin a session."""
    await session.execute(
        _ADD_SESSION,
        {
            "id": session_id,
            "account_id": account_id,
            "grants": to_json(grants),
            "now": now,
            "expires_at": expires_at,
        },
    )


async def add_token(
    session: AsyncSession,
    *,
    token_id: UUID,
    session_id: UUID,
    token_hash: bytes,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep a refresh token's hash."""
    await session.execute(
        _ADD_TOKEN,
        {
            "id": token_id,
            "session_id": session_id,
            "token_hash": token_hash,
            "now": now,
            "expires_at": expires_at,
        },
    )


async def lock_token(session: AsyncSession, token_hash: bytes) -> StoredRefreshToken | None:
    """A refresh token by its hash, locked: of two refreshes with it one waits."""
    row = (await session.execute(_LOCK_TOKEN, {"token_hash": token_hash})).one_or_none()
    if row is None:
        return None
    return StoredRefreshToken(
        id=row.id,
        session_id=row.session_id,
        successor_id=row.successor_id,
        facts=RefreshFacts(
            used_at=row.used_at,
            expires_at=row.expires_at,
            is_successor_used=row.is_successor_used,
            session_expires_at=row.session_expires_at,
            is_session_revoked=row.revoked_at is not None,
        ),
        grants=row.grants,
        account_id=row.account_id,
        kind=AccountKind(row.kind),
        status=AccountStatus(row.status),
    )


async def use_token(
    session: AsyncSession, token_id: UUID, *, successor_id: UUID, now: datetime
) -> None:
    """Note that a refresh token was exchanged for its successor."""
    await session.execute(_USE_TOKEN, {"id": token_id, "successor_id": successor_id, "now": now})


async def revoke(
    session: AsyncSession, session_id: UUID, *, reason: RevocationReason, now: datetime
) -> None:
    """End a session with all its refresh tokens; the first reason stays."""
    await session.execute(_REVOKE, {"id": session_id, "reason": reason.value, "now": now})


async def list_revoked(session: AsyncSession, *, within: timedelta) -> list[UUID]:
    """Sessions revoked lately."""
    return list((await session.execute(_REVOKED, {"within": within})).scalars())


async def purge(session: AsyncSession) -> int:
    """Delete what has long ended. Concurrency: one gateway at a time, others do nothing."""
    if not (await session.execute(_PURGE_LOCK)).scalar_one():
        return 0
    deleted = 0
    for statement in _PURGE:
        deleted += (await session.execute(statement)).rowcount  # type: ignore[attr-defined]
    return deleted
