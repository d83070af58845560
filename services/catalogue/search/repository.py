"""Queries that load the search index."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.catalogue.models import CatalogueRevision, Item, ItemVersion, Status

ROWS_AT_ONCE = 500
_PUBLIC = (Status.published, Status.paused)
_SHOWN = (
    "supply_category", "department", "level", "channels", "around_the_clock", "agent_service",
    "limits",
)  # fmt: skip


async def revision(session: AsyncSession) -> int | None:
    """The catalogue's newest revision; None before the first publication."""
    found: int | None = await session.scalar(select(col(CatalogueRevision.revision)))
    return found


async def count_searchable(session: AsyncSession) -> int:
    """How many items the public sees."""
    query = select(func.count()).select_from(Item).where(col(Item.status).in_(_PUBLIC))
    return int((await session.execute(query)).scalar_one())


async def searchable(session: AsyncSession) -> AsyncIterator[Any]:
    """Every item the public sees."""
    async for row in _stream(session, _items().where(col(Item.status).in_(_PUBLIC))):
        yield row


async def changed_since(session: AsyncSession, seen: int) -> AsyncIterator[Any]:
    """Every item that changed in public after a revision; also retired ones."""
    async for row in _stream(session, _items().where(col(Item.revision) > seen)):
        yield row


async def _stream(session: AsyncSession, query: Select[Any]) -> AsyncIterator[Any]:
    result = await session.stream(query)
    async for rows in result.partitions(ROWS_AT_ONCE):
        for row in rows:
            yield row


def _items() -> Select[Any]:
    content = col(ItemVersion.content)
    shown = [part for name in _SHOWN for part in (name, content[name])]
    return select(
        col(Item.id),
        col(Item.item_code),
        col(Item.division_code),
        col(Item.status),
        col(Item.status_reason),
        col(ItemVersion.name),
        col(ItemVersion.aliases),
        col(ItemVersion.summary),
        col(ItemVersion.spelling),
        content["audiences"].label("audiences"),
        content["service_objects"].label("service_objects"),
        func.jsonb_build_object(*shown).label("shown"),
    ).join(
        ItemVersion,
        (col(ItemVersion.item_id) == col(Item.id))
        & (col(ItemVersion.number) == col(Item.current_version)),
    )
