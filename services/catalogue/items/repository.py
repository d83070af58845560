"""Every query about items, their versions and history, and items with their drafts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.catalogue.divisions import division_chain
from services.catalogue.models import (
    Item,
    ItemDraft,
    ItemHistory,
    ItemScore,
    ItemVersion,
    Status,
)
from services.catalogue.revisions import next_revision as next_revision

_ITEM: tuple[Any, ...] = (
    col(Item.id),
    col(Item.item_code),
    col(Item.division_code),
    col(Item.status),
    col(Item.version),
    col(Item.current_version),
    col(Item.revision),
    col(Item.status_reason),
    col(ItemVersion.content),
    col(ItemVersion.published_at),
    col(ItemVersion.effective_on),
    col(ItemDraft.state).label("draft_state"),
    col(ItemDraft.content).label("draft_content"),
    col(ItemDraft.authors).label("draft_authors"),
    col(ItemDraft.author_name).label("draft_author_name"),
    col(ItemDraft.saved_at).label("draft_saved_at"),
    col(ItemDraft.publish_on).label("draft_publish_on"),
    col(ItemDraft.approver).label("draft_approver"),
    col(ItemDraft.approver_name).label("draft_approver_name"),
    col(ItemDraft.approval_reason).label("draft_approval_reason"),
    col(ItemDraft.import_id).label("draft_import_id"),
    col(ItemScore.revision).label("score_revision"),
    col(ItemScore.rated),
    col(ItemScore.satisfaction_ratio),
    col(ItemScore.average_stars),
)
#: What a list shows of the content; whole contents of a page would be a hundred times that.
HEAD_FIELDS = (
    "name", "summary", "supply_category", "department", "level", "channels", "around_the_clock",
    "limits",
)  # fmt: skip
_CONTENT = func.coalesce(col(ItemVersion.content), col(ItemDraft.content), type_=JSONB)
_HEAD: tuple[Any, ...] = (
    col(Item.id),
    col(Item.item_code),
    col(Item.division_code),
    col(Item.status),
    col(Item.status_reason),
    col(Item.tier),
    col(Item.basic_code),
    col(Item.implementation_code),
    func.jsonb_build_object(
        *(part for field in HEAD_FIELDS for part in (field, _CONTENT[field]))
    ).label("head"),
    col(ItemDraft.state).label("draft_state"),
    col(ItemScore.rated),
    col(ItemScore.satisfaction_ratio),
    col(ItemScore.average_stars),
)


def _whole_items() -> Select[Any]:
    return _items(*_ITEM)


def _items(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Item)
        .outerjoin(
            ItemVersion,
            (col(ItemVersion.item_id) == col(Item.id))
            & (col(ItemVersion.number) == col(Item.current_version)),
        )
        .outerjoin(ItemDraft, col(ItemDraft.item_id) == col(Item.id))
        .outerjoin(ItemScore, col(ItemScore.item_id) == col(Item.id))
    )


async def find_item(session: AsyncSession, item_id: UUID) -> Any | None:
    """An item with its published content, its draft and its score."""
    return (await session.execute(_whole_items().where(col(Item.id) == item_id))).one_or_none()


async def get_item(session: AsyncSession, item_id: UUID) -> Any:
    """The same, for an item that is known to be there."""
    return (await session.execute(_whole_items().where(col(Item.id) == item_id))).one()


async def lock_item(session: AsyncSession, item_id: UUID) -> Any | None:
    """The same, with the item's row locked until the transaction ends."""
    locked = _whole_items().where(col(Item.id) == item_id).with_for_update(of=Item)
    return (await session.execute(locked)).one_or_none()


async def lock_by_codes(session: AsyncSession, codes: Collection[tuple[str, str]]) -> Sequence[Any]:
    """Items by division and code, their rows locked in the order of their ids.

    Two arrays are two conditions of the unique index; a list of pairs would be one OR for each.
    """
    if not codes:
        return []
    divisions, names = ({pair[place] for pair in codes} for place in (0, 1))
    query = _whole_items().where(
        col(Item.division_code) == func.any(sorted(divisions)),
        col(Item.item_code) == func.any(sorted(names)),
    )
    query = query.order_by(col(Item.id)).with_for_update(of=Item)
    items: Sequence[Any] = (await session.execute(query)).all()
    return items


async def find_id(session: AsyncSession, *, division_code: str, item_code: str) -> UUID | None:
    """The id under which a division keeps a code."""
    found: UUID | None = await session.scalar(
        select(col(Item.id)).where(
            col(Item.division_code) == division_code, col(Item.item_code) == item_code
        )
    )
    return found


async def list_items(
    session: AsyncSession,
    *,
    statuses: Sequence[Status],
    include_drafts: bool,
    within: str | None,
    division: str | None,
    category: str | None,
    department: str | None,
    basic_code: str | None = None,
    implementation_code: str | None = None,
    after: UUID | None,
    limit: int,
) -> Sequence[Any]:
    """Items in the order of their creation, from after one on.

    `within` keeps to a subtree of divisions, `division` to what its people are offered.
    """
    query = _items(*_HEAD).order_by(col(Item.id)).limit(limit)
    state: ColumnElement[bool] = col(Item.status).in_(statuses)
    if include_drafts:
        state = or_(state, col(ItemDraft.state).in_(statuses))
    query = query.where(state)
    if within is not None:
        query = query.where(col(Item.division_code).startswith(division_prefix(within)))
    if division is not None:
        query = query.where(col(Item.division_code).in_(division_chain(division)))
    if category is not None:
        query = query.where(col(Item.supply_category) == category)
    if department is not None:
        query = query.where(col(Item.department) == department)
    if basic_code is not None:
        query = query.where(col(Item.basic_code) == basic_code)
    if implementation_code is not None:
        query = query.where(col(Item.implementation_code) == implementation_code)
    if after is not None:
        query = query.where(col(Item.id) > after)
    items: Sequence[Any] = (await session.execute(query)).all()
    return items


async def list_versions(session: AsyncSession, item_id: UUID) -> Sequence[Any]:
    """Every published version, newest first, without what it says."""
    query = _versions(item_id).order_by(col(ItemVersion.number).desc())
    versions: Sequence[Any] = (await session.execute(query)).all()
    return versions


async def find_version(session: AsyncSession, item_id: UUID, number: int) -> Any | None:
    """One published version with what it says."""
    query = _versions(item_id).add_columns(
        col(ItemVersion.content), col(Item.item_code), col(Item.division_code)
    )
    query = query.join(Item, col(Item.id) == col(ItemVersion.item_id))
    return (await session.execute(query.where(col(ItemVersion.number) == number))).one_or_none()


def _versions(item_id: UUID) -> Select[Any]:
    columns: tuple[Any, ...] = (
        col(ItemVersion.item_id),
        col(ItemVersion.number),
        col(ItemVersion.name),
        col(ItemVersion.published_at),
        col(ItemVersion.effective_on),
        col(ItemVersion.author_name),
        col(ItemVersion.approver_name),
        col(ItemVersion.reason),
    )
    return select(*columns).where(col(ItemVersion.item_id) == item_id)


async def find_last_hash(
    session: AsyncSession, item_id: UUID, *, author: str
) -> tuple[int, bytes] | None:
    """Number and content hash of the newest version an author wrote alone."""
    row = (
        await session.execute(
            select(col(ItemVersion.number), col(ItemVersion.content_hash))
            .where(col(ItemVersion.item_id) == item_id, col(ItemVersion.authors) == [author])
            .order_by(col(ItemVersion.number).desc())
            .limit(1)
        )
    ).first()
    return None if row is None else (row.number, row.content_hash)


async def list_history(session: AsyncSession, item_id: UUID) -> Sequence[Any]:
    """What was done to an item, newest first."""
    columns = (
        col(ItemHistory.action),
        col(ItemHistory.from_status),
        col(ItemHistory.to_status),
        col(ItemHistory.version_number),
        col(ItemHistory.actor_name),
        col(ItemHistory.reason),
        col(ItemHistory.happened_at),
    )
    query = select(*columns).where(col(ItemHistory.item_id) == item_id)
    return (await session.execute(query.order_by(col(ItemHistory.id).desc()))).all()


async def add_item(session: AsyncSession, **values: Any) -> None:
    await session.execute(insert(Item).values(**values))


async def change_item(
    session: AsyncSession, item_id: UUID, *, version: int, changed_at: datetime, **values: Any
) -> None:
    """Write an item's row and raise its version; the row must be locked."""
    await session.execute(
        update(Item)
        .where(col(Item.id) == item_id)
        .values(version=version, changed_at=changed_at, **values)
    )


async def add_items(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await session.execute(insert(Item), list(rows))


async def raise_versions(session: AsyncSession, ids: Sequence[UUID], changed_at: datetime) -> None:
    """Note that the drafts of items changed; their rows must be locked."""
    if ids:
        await session.execute(
            update(Item)
            .where(col(Item.id).in_(ids))
            .values(version=Item.version + 1, changed_at=changed_at)
        )


async def add_histories(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await session.execute(insert(ItemHistory), list(rows))


async def add_version(session: AsyncSession, **values: Any) -> None:
    await session.execute(insert(ItemVersion).values(**values))


async def add_history(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(ItemHistory).values(**values))
