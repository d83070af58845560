"""Every query about entries of the basic catalogue."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.catalogue.divisions import division_chain
from services.catalogue.every import every
from services.catalogue.models import BasicItem, BasicItemHistory

_COLUMNS: tuple[Any, ...] = (
    col(BasicItem.id),
    col(BasicItem.division_code),
    col(BasicItem.basic_code),
    col(BasicItem.state),
    col(BasicItem.version),
    col(BasicItem.content),
    col(BasicItem.changed_at),
)


async def find(session: AsyncSession, basic_id: UUID, *, lock: bool = False) -> Any | None:
    """An entry, its row locked until the transaction ends if so wanted."""
    query = select(*_COLUMNS).where(col(BasicItem.id) == basic_id)
    return (await session.execute(query.with_for_update() if lock else query)).one_or_none()


async def list_page(
    session: AsyncSession,
    *,
    division: str | None,
    basic_code: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Any]:
    """Entries in the order of their creation, from after one on."""
    query = select(*_COLUMNS).order_by(col(BasicItem.id)).limit(limit)
    if division is not None:
        query = query.where(col(BasicItem.division_code).in_(division_chain(division)))
    if basic_code is not None:
        query = query.where(col(BasicItem.basic_code) == basic_code)
    if after is not None:
        query = query.where(col(BasicItem.id) > after)
    return (await session.execute(query)).all()


async def list_by_codes(
    session: AsyncSession, codes: Collection[str], division: str, *, lock: bool = False
) -> Sequence[Any]:
    """Entries of a division and all above it under these codes, the nearest last."""
    query = (
        select(*_COLUMNS)
        .where(
            col(BasicItem.basic_code).in_(codes),
            col(BasicItem.division_code).in_(division_chain(division)),
        )
        .order_by(col(BasicItem.division_code))
    )
    return (await session.execute(query.with_for_update() if lock else query)).all()


async def lock_by_codes(session: AsyncSession, codes: Collection[tuple[str, str]]) -> Sequence[Any]:
    """Entries by division and code, their rows locked in one order until the transaction ends."""
    query = (
        select(*_COLUMNS)
        .where(tuple_(col(BasicItem.division_code), col(BasicItem.basic_code)).in_(codes))
        .order_by(col(BasicItem.id))
        .with_for_update()
    )
    return (await session.execute(query)).all()


async def iterate(session: AsyncSession, division: str) -> AsyncIterator[Any]:
    """Entries that a division or one below it keeps, some hundreds in memory at a time."""
    within = col(BasicItem.division_code).startswith(division_prefix(division))
    async for row in every(session, select(*_COLUMNS).where(within), col(BasicItem.id)):
        yield row


async def add(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    await session.execute(insert(BasicItem), list(rows))


async def change(session: AsyncSession, basic_id: UUID, **values: Any) -> None:
    await session.execute(update(BasicItem).where(col(BasicItem.id) == basic_id).values(**values))


async def add_history(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    await session.execute(insert(BasicItemHistory), list(rows))


async def list_history(session: AsyncSession, basic_id: UUID) -> Sequence[Any]:
    """Changes of an entry, newest first."""
    columns: tuple[Any, ...] = (
        col(BasicItemHistory.action),
        col(BasicItemHistory.version),
        col(BasicItemHistory.state),
        col(BasicItemHistory.content),
        col(BasicItemHistory.actor_name),
        col(BasicItemHistory.reason),
        col(BasicItemHistory.happened_at),
    )
    query = select(*columns).where(col(BasicItemHistory.basic_item_id) == basic_id)
    return (await session.execute(query.order_by(col(BasicItemHistory.id).desc()))).all()
