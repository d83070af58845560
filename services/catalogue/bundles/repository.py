"""Every query about bundles, and what they need to know of items."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.catalogue.bundles.rules import ItemFacts
from services.catalogue.divisions import division_chain
from services.catalogue.models import (
    Bundle,
    BundleDraft,
    BundleHistory,
    BundleMember,
    BundleVersion,
    Item,
    ItemVersion,
    Status,
)

_BUNDLE: tuple[Any, ...] = (
    col(Bundle.id),
    col(Bundle.bundle_code),
    col(Bundle.division_code),
    col(Bundle.status),
    col(Bundle.status_reason),
    col(Bundle.version),
    col(Bundle.current_version),
    col(Bundle.revision),
    col(Bundle.name),
    col(Bundle.theme),
    col(BundleVersion.content),
    col(BundleVersion.spelling),
    col(BundleVersion.published_at),
    col(BundleVersion.effective_on),
    col(BundleDraft.state).label("draft_state"),
    col(BundleDraft.content).label("draft_content"),
    col(BundleDraft.authors).label("draft_authors"),
    col(BundleDraft.author_name).label("draft_author_name"),
)
_PUBLIC_ITEMS = (Status.published, Status.paused)


async def _all(session: AsyncSession, query: Select[Any]) -> Sequence[Any]:
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows


def _bundles() -> Select[Any]:
    return (
        select(*_BUNDLE)
        .select_from(Bundle)
        .outerjoin(
            BundleVersion,
            (col(BundleVersion.bundle_id) == col(Bundle.id))
            & (col(BundleVersion.number) == col(Bundle.current_version)),
        )
        .outerjoin(BundleDraft, col(BundleDraft.bundle_id) == col(Bundle.id))
    )


async def find(session: AsyncSession, bundle_id: UUID) -> Any | None:
    """A bundle with its published content and its draft."""
    return (await session.execute(_bundles().where(col(Bundle.id) == bundle_id))).one_or_none()


async def lock(session: AsyncSession, bundle_id: UUID) -> Any | None:
    """The same, with its row locked until the transaction ends."""
    query = _bundles().where(col(Bundle.id) == bundle_id).with_for_update(of=Bundle)
    return (await session.execute(query)).one_or_none()


async def list_page(
    session: AsyncSession,
    *,
    statuses: Sequence[Status],
    include_drafts: bool,
    within: str | None,
    division: str | None,
    theme: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Any]:
    """Bundles in the order of their creation; `within` a subtree, or offered to a division."""
    state: ColumnElement[bool] = col(Bundle.status).in_(statuses)
    if include_drafts:
        state = or_(state, col(BundleDraft.state).in_(statuses))
    query = _bundles().where(state).order_by(col(Bundle.id)).limit(limit)
    if within is not None:
        query = query.where(col(Bundle.division_code).startswith(division_prefix(within)))
    if division is not None:
        query = query.where(col(Bundle.division_code).in_(division_chain(division)))
    if theme is not None:
        query = query.where(col(Bundle.theme) == theme)
    if after is not None:
        query = query.where(col(Bundle.id) > after)
    return await _all(session, query)


async def list_published(session: AsyncSession) -> Sequence[Any]:
    """Every bundle the public sees; there are few."""
    return await _all(session, _bundles().where(col(Bundle.status) == Status.published))


async def lock_with_item(session: AsyncSession, item_id: UUID) -> Sequence[Any]:
    """Published bundles that have an item, locked in one order."""
    query = (
        _bundles()
        .join(BundleMember, col(BundleMember.bundle_id) == col(Bundle.id))
        .where(col(BundleMember.item_id) == item_id, col(Bundle.status) == Status.published)
        .order_by(col(Bundle.id))
        .with_for_update(of=Bundle)
    )
    return await _all(session, query)


async def public_items(
    session: AsyncSession, item_ids: Collection[UUID], *, statuses: Collection[Status]
) -> dict[UUID, ItemFacts]:
    """Those of some items that have one of these statuses, as published."""
    content = col(ItemVersion.content)
    query = (
        select(
            col(Item.id),
            col(Item.item_code),
            col(ItemVersion.name),
            col(Item.division_code),
            content["channels"].label("channels"),
            content["materials"].label("materials"),
            content["form"].label("form"),
        )
        .join(
            ItemVersion,
            (col(ItemVersion.item_id) == col(Item.id))
            & (col(ItemVersion.number) == col(Item.current_version)),
        )
        .where(col(Item.id).in_(item_ids), col(Item.status).in_(statuses))
    )
    return {
        row.id: ItemFacts(
            item_id=row.id,
            item_code=row.item_code,
            name=row.name,
            division_code=row.division_code,
            channels=frozenset(row.channels),
            materials=tuple(row.materials),
            form=row.form,
        )
        for row in (await session.execute(query)).all()
    }


async def offered_items(session: AsyncSession, item_ids: Collection[UUID]) -> dict[UUID, ItemFacts]:
    """Those of some items that the public sees."""
    return await public_items(session, item_ids, statuses=_PUBLIC_ITEMS)


async def list_versions(session: AsyncSession, bundle_id: UUID) -> Sequence[Any]:
    """Every published version with what it says, newest first."""
    query = (
        select(BundleVersion.__table__.c)  # type: ignore[attr-defined]
        .where(col(BundleVersion.bundle_id) == bundle_id)
        .order_by(col(BundleVersion.number).desc())
    )
    return await _all(session, query)


async def list_history(session: AsyncSession, bundle_id: UUID) -> Sequence[Any]:
    """What was done to a bundle, newest first."""
    query = (
        select(BundleHistory.__table__.c)  # type: ignore[attr-defined]
        .where(col(BundleHistory.bundle_id) == bundle_id)
        .order_by(col(BundleHistory.id).desc())
    )
    return await _all(session, query)


async def add(session: AsyncSession, **values: Any) -> None:
    await session.execute(insert(Bundle).values(**values))


async def change(
    session: AsyncSession, bundle_id: UUID, *, version: int, changed_at: datetime, **values: Any
) -> None:
    """Write a bundle's row and raise its version; the row must be locked."""
    await session.execute(
        update(Bundle)
        .where(col(Bundle.id) == bundle_id)
        .values(version=version, changed_at=changed_at, **values)
    )


async def put_draft(session: AsyncSession, **values: Any) -> None:
    """Write the working copy over whatever was there."""
    statement = postgresql.insert(BundleDraft).values(**values)
    kept = {name: statement.excluded[name] for name in values if name != "bundle_id"}
    await session.execute(statement.on_conflict_do_update(index_elements=["bundle_id"], set_=kept))


async def change_draft_state(session: AsyncSession, bundle_id: UUID, state: str) -> None:
    await session.execute(
        update(BundleDraft).where(col(BundleDraft.bundle_id) == bundle_id).values(state=state)
    )


async def drop_draft(session: AsyncSession, bundle_id: UUID) -> None:
    await session.execute(delete(BundleDraft).where(col(BundleDraft.bundle_id) == bundle_id))


async def add_version(session: AsyncSession, **values: Any) -> None:
    await session.execute(insert(BundleVersion).values(**values))


async def put_members(session: AsyncSession, bundle_id: UUID, item_ids: Collection[UUID]) -> None:
    """Keep which items the published version has."""
    await session.execute(delete(BundleMember).where(col(BundleMember.bundle_id) == bundle_id))
    if item_ids:
        rows = [{"bundle_id": bundle_id, "item_id": item_id} for item_id in item_ids]
        await session.execute(insert(BundleMember).values(rows))


async def add_history(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(BundleHistory).values(**values))
