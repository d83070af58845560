"""Queries on accounts."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.models import AccountKind, AccountStatus
from servicekit.identifiers import new_id

_COLUMNS = "id, kind, status, phone, display_name"
_ENSURE_RESIDENT = text(
    "INSERT INTO account (id, kind, status, phone, phone_index) "
    "VALUES (:id, 'resident', 'active', :phone, :phone_index) ON CONFLICT (phone_index) DO NOTHING"
)
_BY_PHONE = text(f"SELECT {_COLUMNS} FROM account WHERE phone_index = :phone_index")  # noqa: S608
_KEEP_STAFF = text(
    "INSERT INTO account (id, kind, status, issuer, subject, display_name) "  # noqa: S608
    "VALUES (:id, 'staff', 'active', :issuer, :subject, :display_name) "
    "ON CONFLICT (issuer, subject) DO UPDATE "
    "SET display_name = excluded.display_name, updated_at = now() "
    f"RETURNING {_COLUMNS}"
)
_BY_ID = text(f"SELECT {_COLUMNS} FROM account WHERE id = :id")  # noqa: S608


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account as it lies in the table; the telephone number is encrypted."""

    id: UUID
    kind: AccountKind
    status: AccountStatus
    phone: str | None
    display_name: str | None


async def ensure_resident(
    session: AsyncSession, *, phone: str, phone_index: bytes
) -> StoredAccount:
    """The account of a telephone number, made if there is none. Two at once make one."""
    values = {"id": new_id(), "phone": phone, "phone_index": phone_index}
    await session.execute(_ENSURE_RESIDENT, values)
    return _account((await session.execute(_BY_PHONE, {"phone_index": phone_index})).one())


async def keep_staff(
    session: AsyncSession, *, issuer: str, subject: str, display_name: str | None
) -> StoredAccount:
    """The account of a member of staff, with the name the provider gave last."""
    values = {"id": new_id(), "issuer": issuer, "subject": subject, "display_name": display_name}
    return _account((await session.execute(_KEEP_STAFF, values)).one())


async def find(session: AsyncSession, account_id: UUID) -> StoredAccount | None:
    """An account by its id."""
    row = (await session.execute(_BY_ID, {"id": account_id})).one_or_none()
    return _account(row) if row is not None else None


def _account(row: Row[Any]) -> StoredAccount:
    return StoredAccount(
        row.id, AccountKind(row.kind), AccountStatus(row.status), row.phone, row.display_name
    )
