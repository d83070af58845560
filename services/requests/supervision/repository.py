"""Queries of supervision orders."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.requests.models import ServiceCase as C
from services.requests.models import SupervisionOrder as O

_COLUMNS: tuple[Any, ...] = (
    col(O.id), col(O.case_id), col(O.cause), col(O.level), col(O.unit_code), col(O.unit_name),
    col(O.division_code), col(O.what), col(O.issued_by), col(O.issued_at), col(O.reply_by),
    col(O.state), col(O.reply), col(O.replied_by), col(O.replied_at), col(O.is_late),
)  # fmt: skip


async def insert_order(session: AsyncSession, row: dict[str, Any]) -> bool:
    """Issue an order, unless one of the same cause is open for the case; tell whether."""
    issued = await session.execute(
        insert(O).values(**row).on_conflict_do_nothing().returning(col(O.id))
    )
    return issued.first() is not None


async def find_order(session: AsyncSession, order_id: UUID, *, lock: bool = False) -> Any | None:
    """An order; `lock` keeps others from changing it until the commit."""
    statement = select(*_COLUMNS).where(col(O.id) == order_id)
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).one_or_none()


async def change_order(session: AsyncSession, order_id: UUID, **values: Any) -> None:
    """Change a locked order."""
    await session.execute(update(O).where(col(O.id) == order_id).values(**values))


async def list_orders(
    session: AsyncSession,
    *,
    unit_code: str | None,
    division_code: str | None,
    state: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Any]:
    """Orders to a unit or in a division's subtree, newest first (ids are time-ordered)."""
    statement = select(*_COLUMNS, col(C.case_number), col(C.item_name)).join(
        C, col(C.id) == col(O.case_id)
    )
    if unit_code is not None:
        statement = statement.where(col(O.unit_code) == unit_code)
    if division_code is not None:
        prefix = division_prefix(division_code)
        statement = statement.where(col(O.division_code).startswith(prefix, autoescape=True))
    if state is not None:
        statement = statement.where(col(O.state) == state)
    if after is not None:
        statement = statement.where(col(O.id) < after)
    return (await session.execute(statement.order_by(col(O.id).desc()).limit(limit))).all()
