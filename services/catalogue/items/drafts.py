"""Every query that writes working copies of items; they are read with their items."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.catalogue.models import DraftState, ItemDraft


async def put(session: AsyncSession, **values: Any) -> None:
    """Write the working copy over whatever was there; it is no import's any more."""
    await put_many(session, [{"import_id": None, **values}])


async def put_many(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """The same for many items at once."""
    if not rows:
        return
    statement = postgresql.insert(ItemDraft)
    kept = {name: statement.excluded[name] for name in rows[0] if name != "item_id"}
    upsert = statement.on_conflict_do_update(index_elements=["item_id"], set_=kept)
    await session.execute(upsert, list(rows))


async def adopt(session: AsyncSession, ids: Sequence[UUID], import_id: UUID) -> None:
    """Let drafts be approved with another import than the one that wrote them."""
    if ids:
        await session.execute(
            update(ItemDraft).where(col(ItemDraft.item_id).in_(ids)).values(import_id=import_id)
        )


async def change_state(session: AsyncSession, item_id: UUID, state: str) -> None:
    """Move a draft to a state in which no approval waits for its day."""
    await session.execute(
        update(ItemDraft)
        .where(col(ItemDraft.item_id) == item_id)
        .values(
            state=state, publish_on=None, approver=None, approver_name=None, approval_reason=None
        )
    )


async def schedule(
    session: AsyncSession,
    item_id: UUID,
    *,
    publish_on: date,
    approver: str,
    approver_name: str | None,
    reason: str | None,
) -> None:
    """Note a draft's approval for a day to come."""
    await session.execute(
        update(ItemDraft)
        .where(col(ItemDraft.item_id) == item_id)
        .values(
            state=DraftState.scheduled,
            publish_on=publish_on,
            approver=approver,
            approver_name=approver_name,
            approval_reason=reason,
        )
    )


async def drop(session: AsyncSession, item_id: UUID) -> None:
    await session.execute(delete(ItemDraft).where(col(ItemDraft.item_id) == item_id))
