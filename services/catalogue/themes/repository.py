"""Every query about themes, and the counts of items under the policies' headings."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.catalogue.divisions import division_chain
from services.catalogue.models import Bundle, Item, ItemVersion, Status, Theme, ThemeItem

_PUBLIC = (Status.published, Status.paused)


def _themes() -> Any:
    return select(*Theme.__table__.c)  # type: ignore[attr-defined]


async def list_all(session: AsyncSession) -> Sequence[Any]:
    rows: Sequence[Any] = (await session.execute(_themes())).all()
    return rows


async def list_of(session: AsyncSession, division: str, subject: str | None) -> Sequence[Any]:
    """Themes shown to people of a division, in their order."""
    query = (
        _themes()
        .where(col(Theme.division_code).in_(division_chain(division)))
        .order_by(col(Theme.position), col(Theme.id))
        .limit(500)
    )
    if subject is not None:
        query = query.where(col(Theme.subject) == subject)
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows


async def find(session: AsyncSession, theme_id: UUID) -> Any | None:
    return (await session.execute(_themes().where(col(Theme.id) == theme_id))).one_or_none()


async def lock(session: AsyncSession, division: str, code: str) -> Any | None:
    query = _themes().where(col(Theme.division_code) == division, col(Theme.code) == code)
    return (await session.execute(query.with_for_update())).one_or_none()


async def put(session: AsyncSession, items: Sequence[UUID], **values: Any) -> None:
    """Write a theme and its items whole."""
    statement = postgresql.insert(Theme).values(**values)
    kept = {name: statement.excluded[name] for name in values if name != "id"}
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=kept))
    await session.execute(delete(ThemeItem).where(col(ThemeItem.theme_id) == values["id"]))
    if items:
        rows = [
            {"theme_id": values["id"], "item_id": item_id, "position": n}
            for n, item_id in enumerate(items)
        ]
        await session.execute(insert(ThemeItem), rows)


async def drop(session: AsyncSession, theme_id: UUID) -> None:
    await session.execute(delete(ThemeItem).where(col(ThemeItem.theme_id) == theme_id))
    await session.execute(delete(Theme).where(col(Theme.id) == theme_id))


async def known_items(
    session: AsyncSession, item_ids: Sequence[UUID], divisions: Sequence[str]
) -> set[UUID]:
    """Those of some items that the public sees in these divisions."""
    query = select(col(Item.id)).where(
        col(Item.id).in_(item_ids),
        col(Item.status).in_(_PUBLIC),
        col(Item.division_code).in_(divisions),
    )
    return set((await session.scalars(query)).all())


async def items_of(session: AsyncSession, theme_id: UUID) -> Sequence[Any]:
    """The items of a theme that the public sees, in their order."""
    columns: tuple[Any, ...] = (
        col(Item.id).label("item_id"),
        col(Item.name),
        col(Item.division_code),
    )
    query = (
        select(*columns)
        .join(ThemeItem, col(ThemeItem.item_id) == col(Item.id))
        .where(col(ThemeItem.theme_id) == theme_id, col(Item.status).in_(_PUBLIC))
        .order_by(col(ThemeItem.position))
    )
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows


async def bundles_of(session: AsyncSession, code: str) -> Sequence[UUID]:
    """Published bundles under a theme's code."""
    query = (
        select(col(Bundle.id))
        .where(col(Bundle.theme) == code, col(Bundle.status) == Status.published)
        .order_by(col(Bundle.id))
        .limit(100)
    )
    return (await session.scalars(query)).all()


async def counts(session: AsyncSession, division: str) -> Sequence[Any]:
    """Items that a division's people are offered, by the three headings at once."""
    content = col(ItemVersion.content)
    headings: tuple[Any, ...] = (
        col(Item.supply_category).label("supply_category"),
        content["item_kind"].astext.label("item_kind"),
        content["function"].astext.label("function"),
    )
    query = (
        select(*headings, func.count().label("items"))
        .join(
            ItemVersion,
            (col(ItemVersion.item_id) == col(Item.id))
            & (col(ItemVersion.number) == col(Item.current_version)),
        )
        .where(col(Item.status).in_(_PUBLIC), col(Item.division_code).in_(division_chain(division)))
        .group_by(*headings)
    )
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows
