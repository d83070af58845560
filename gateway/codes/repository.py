"""Queries on sign-in codes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(encode(:phone_index, 'hex'), 0))")
_SENT_TO = text(
    "SELECT created_at FROM sign_in_code WHERE phone_index = :index AND created_at > :since"
)
_SENT_FROM = text(
    "SELECT created_at FROM sign_in_code WHERE address_index = :index AND created_at > :since"
)
_ADD = text(
    "INSERT INTO sign_in_code "
    "(id, phone_index, address_index, code_hash, created_at, expires_at) "
    "VALUES (:id, :phone_index, :address_index, :code_hash, :created_at, :expires_at)"
)
_REMOVE = text("DELETE FROM sign_in_code WHERE id = :id")
_NEWEST = text(
    "SELECT id, code_hash, attempts, expires_at, used_at IS NOT NULL AS is_used FROM sign_in_code "
    "WHERE phone_index = :phone_index ORDER BY created_at DESC, id DESC LIMIT 1 FOR UPDATE"
)
_COUNT_ATTEMPT = text("UPDATE sign_in_code SET attempts = attempts + 1 WHERE id = :id")
_USE = text("UPDATE sign_in_code SET used_at = :now WHERE id = :id")


@dataclass(frozen=True, slots=True)
class StoredCode:
    """The newest code sent to a telephone."""

    id: UUID
    code_hash: bytes
    attempts: int
    expires_at: datetime
    is_used: bool


async def lock_phone(session: AsyncSession, phone_index: bytes) -> None:
    """Let one sending or redeeming per telephone go on at a time, until the transaction ends."""
    await session.execute(_LOCK, {"phone_index": phone_index})


async def list_sent_to(
    session: AsyncSession, phone_index: bytes, *, since: datetime
) -> list[datetime]:
    """When codes were sent to a telephone."""
    rows = await session.execute(_SENT_TO, {"index": phone_index, "since": since})
    return list(rows.scalars())


async def list_sent_from(
    session: AsyncSession, address_index: bytes, *, since: datetime
) -> list[datetime]:
    """When codes were asked for from an address."""
    rows = await session.execute(_SENT_FROM, {"index": address_index, "since": since})
    return list(rows.scalars())


async def add(
    session: AsyncSession,
    *,
    code_id: UUID,
    phone_index: bytes,
    address_index: bytes,
    code_hash: bytes,
    created_at: datetime,
    expires_at: datetime,
) -> None:
    """Keep a code that is about to be sent."""
    await session.execute(
        _ADD,
        {
            "id": code_id,
            "phone_index": phone_index,
            "address_index": address_index,
            "code_hash": code_hash,
            "created_at": created_at,
            "expires_at": expires_at,
        },
    )


async def remove(session: AsyncSession, code_id: UUID) -> None:
    """Forget a code that could not be sent."""
    await session.execute(_REMOVE, {"id": code_id})


async def lock_newest(session: AsyncSession, phone_index: bytes) -> StoredCode | None:
    """The newest code of a telephone, locked."""
    row = (await session.execute(_NEWEST, {"phone_index": phone_index})).one_or_none()
    return StoredCode(*row) if row is not None else None


async def count_attempt(session: AsyncSession, code_id: UUID) -> None:
    """Note a wrong guess."""
    await session.execute(_COUNT_ATTEMPT, {"id": code_id})


async def use(session: AsyncSession, code_id: UUID, *, now: datetime) -> None:
    """Note that a code was redeemed."""
    await session.execute(_USE, {"id": code_id, "now": now})
