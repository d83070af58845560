"""Queries of approvals of imports, and of items as they are exported."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.catalogue.every import every
from services.catalogue.models import (
    DraftState,
    ImportApproval,
    ImportJob,
    Item,
    ItemDraft,
    ItemVersion,
    Status,
)


async def find_job(session: AsyncSession, import_id: UUID, *, lock: bool = False) -> Any | None:
    """An import of items, its row locked if so wanted."""
    columns = (
        col(ImportJob.id), col(ImportJob.state), col(ImportJob.is_dry_run),
        col(ImportJob.division_code), col(ImportJob.owner_id),
    )  # fmt: skip
    query = select(*columns).where(col(ImportJob.id) == import_id, col(ImportJob.kind) == "items")
    return (await session.execute(query.with_for_update() if lock else query)).one_or_none()


async def find_approval(session: AsyncSession, import_id: UUID) -> Any | None:
    """The approval of an import."""
    columns: tuple[Any, ...] = (
        col(ImportApproval.import_id), col(ImportApproval.approver),
        col(ImportApproval.approver_name), col(ImportApproval.reason),
        col(ImportApproval.published), col(ImportApproval.left_over),
        col(ImportApproval.decided_at), col(ImportApproval.finished_at),
    )  # fmt: skip
    query = select(*columns).where(col(ImportApproval.import_id) == import_id)
    return (await session.execute(query)).one_or_none()


async def add_approval(session: AsyncSession, **values: Any) -> None:
    await session.execute(insert(ImportApproval).values(**values))


async def count_waiting(session: AsyncSession, import_id: UUID) -> int:
    """Drafts of an import that lie in review."""
    query = select(func.count()).where(*_waiting(import_id))
    return int((await session.execute(query)).scalar_one())


async def list_waiting(session: AsyncSession, import_id: UUID, limit: int) -> Sequence[UUID]:
    """The items of some of them."""
    query = select(col(ItemDraft.item_id)).where(*_waiting(import_id))
    return (await session.scalars(query.order_by(col(ItemDraft.item_id)).limit(limit))).all()


def _waiting(import_id: UUID) -> tuple[Any, ...]:
    return (
        col(ItemDraft.import_id) == import_id,
        col(ItemDraft.state) == DraftState.in_review,
    )


async def let_go(session: AsyncSession, item_id: UUID) -> None:
    """Take a draft out of its import: it is looked at by itself."""
    await session.execute(
        update(ItemDraft).where(col(ItemDraft.item_id) == item_id).values(import_id=None)
    )


async def count_approved(
    session: AsyncSession, import_id: UUID, *, published: int, left_over: int, is_over: bool
) -> None:
    """Count what became of some drafts of an approved import."""
    values: dict[str, Any] = {
        "published": ImportApproval.published + published,
        "left_over": ImportApproval.left_over + left_over,
    }
    if is_over:
        values["finished_at"] = func.now()
    await session.execute(
        update(ImportApproval).where(col(ImportApproval.import_id) == import_id).values(**values)
    )


async def iterate_items(
    session: AsyncSession, division: str, statuses: Sequence[Status]
) -> AsyncIterator[Any]:
    """Published texts of a subtree of divisions, some hundreds in memory at a time."""
    columns = (
        col(Item.id), col(Item.item_code), col(Item.division_code), col(Item.status),
        col(Item.current_version), col(ItemVersion.content), col(ItemVersion.effective_on),
    )  # fmt: skip
    query = (
        select(*columns)
        .join(
            ItemVersion,
            (col(ItemVersion.item_id) == col(Item.id))
            & (col(ItemVersion.number) == col(Item.current_version)),
        )
        .where(
            col(Item.division_code).startswith(division_prefix(division)),
            col(Item.status).in_(statuses),
        )
    )
    async for row in every(session, query, col(Item.id)):
        yield row
