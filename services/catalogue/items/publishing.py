"""Changes of what the public sees: an immutable version, a catalogue revision, an event."""

import hashlib
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import ItemPaused, ItemPublished, ItemRetired, ItemRevised, ItemState
from servicekit.outbox import record
from services.catalogue.items import repository
from services.catalogue.items.content import ItemContent
from services.catalogue.items.elements import Elements
from services.catalogue.models import Status
from services.catalogue.words import spell_all

#: Dates of the catalogue are dates in China.
CHINA = ZoneInfo("Asia/Shanghai")


def stored(content: ItemContent) -> dict[str, Any]:
    """Content as it is kept: plain JSON."""
    return content.model_dump(mode="json")


def content_hash(content: ItemContent) -> bytes:
    """A digest of what an item says, whatever the order of its fields."""
    return hashlib.sha256(orjson.dumps(stored(content), option=orjson.OPT_SORT_KEYS)).digest()


def listed(content: ItemContent) -> dict[str, Any]:
    """The columns of the item's own row that lists are filtered by."""
    elements = content.elements or Elements()
    return {
        "tier": elements.tier,
        "basic_code": elements.codes.basic,
        "implementation_code": elements.codes.implementation,
        "name": content.name,
        "supply_category": content.supply_category,
        "department": content.department,
    }


async def add_version(
    session: AsyncSession,
    item_id: UUID,
    number: int,
    content: ItemContent,
    *,
    authors: list[str],
    author_name: str | None,
    approver: str,
    approver_name: str | None,
    reason: str | None,
    at: datetime,
) -> None:
    """Write an immutable version; it takes effect at once."""
    await repository.add_version(
        session,
        item_id=item_id,
        number=number,
        content=stored(content),
        content_hash=content_hash(content),
        name=content.name,
        aliases=list(content.aliases),
        summary=content.summary,
        spelling=spell_all((content.name, *content.aliases)),
        authors=authors,
        author_name=author_name,
        approver=approver,
        approver_name=approver_name,
        reason=reason,
        published_at=at,
        effective_on=at.astimezone(CHINA).date(),
    )


async def announce(
    session: AsyncSession, item: Any, at: datetime, *, is_new_version: bool = False
) -> None:
    """Record the event that carries the full state of an item as it was just read."""
    await record(session, event_of(item, at, is_new_version=is_new_version))


def event_of(item: Any, at: datetime, *, is_new_version: bool = False) -> ItemState:
    """The event that tells how an item stands since a time, and whether its text is another."""
    effective_on: date = item.effective_on
    state = {
        **item.content,
        "item_id": item.id,
        "item_code": item.item_code,
        "division_code": item.division_code,
        "version": item.current_version,
        "revision": item.revision,
        "effective_on": effective_on,
        "recorded_at": at,
    }
    match Status(item.status):
        case Status.paused:
            return ItemPaused.model_validate({**state, "reason": item.status_reason or ""})
        case Status.retired:
            return ItemRetired.model_validate({**state, "reason": item.status_reason or ""})
        case _ if is_new_version and item.current_version > 1:
            return ItemRevised.model_validate(state)
        case _:
            return ItemPublished.model_validate(state)
