"""Many drafts at once, as an import writes them: locked, compared, written and handed over."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.identifiers import new_id
from servicekit.outbox import now
from services.catalogue.editing import Hand, authors, remembered
from services.catalogue.items import drafts, publishing, repository
from services.catalogue.items.content import ItemContent
from services.catalogue.models import DraftState, Status


@dataclass(frozen=True, slots=True)
class Taken:
    """A draft to be written: of a new item, or the next text of one that is there and locked."""

    item_code: str
    division_code: str
    content: ItemContent
    #: The item's row as it was locked.
    known: Any | None


async def lock_known(
    session: AsyncSession, codes: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Any]:
    """Items by division and code, their rows locked in one order until the transaction ends."""
    rows = await repository.lock_by_codes(session, codes)
    return {(row.division_code, row.item_code): row for row in rows}


def text_of(known: Any) -> dict[str, Any]:
    """What an item says at the latest: its draft, else its published text."""
    content: dict[str, Any] = known.draft_content or known.content
    return content


def may_take(known: Any) -> bool:
    """A text that people wrote and handed over is not written over; one of an import is."""
    if known.status == Status.retired or known.draft_state == DraftState.scheduled:
        return False
    return known.draft_state != DraftState.in_review or known.draft_import_id is not None


async def take_in(
    session: AsyncSession, hand: Hand, taken: Sequence[Taken], *, import_id: UUID, reason: str
) -> None:
    """Write drafts and hand them over for approval, with their history."""
    at = now()
    ids = [each.known.id if each.known else new_id() for each in taken]
    new: list[dict[str, Any]] = []
    changed: list[UUID] = []
    texts, history = [], []
    for item_id, each in zip(ids, taken, strict=True):
        before = Status(each.known.status) if each.known else None
        after = before if before in (Status.published, Status.paused) else Status.in_review
        shown = each.known is None or each.known.current_version is None
        row = {"id": item_id, "status": after, **publishing.listed(each.content)}
        if each.known is None:
            codes = {"item_code": each.item_code, "division_code": each.division_code}
            new.append({**row, **codes, "version": 1, "created_at": at, "changed_at": at})
        else:
            if shown:
                names = publishing.listed(each.content)
                await repository.change_item(
                    session, item_id, version=each.known.version + 1, changed_at=at,
                    status=after, **names,
                )  # fmt: skip
            else:
                changed.append(item_id)
        texts.append({
            "item_id": item_id, "state": DraftState.in_review,
            "content": publishing.stored(each.content),
            "authors": authors(each.known.draft_authors if each.known else None, hand),
            "author_name": hand.name, "saved_at": at, "import_id": import_id,
        })  # fmt: skip
        line = remembered(hand, "import", before, after, at, reason=reason)
        history.append({"item_id": item_id, **line})
    await repository.add_items(session, new)
    await repository.raise_versions(session, changed, at)
    await drafts.put_many(session, texts)
    await repository.add_histories(session, history)


async def adopt(session: AsyncSession, taken: Sequence[Taken], *, import_id: UUID) -> None:
    """Drafts that stand so already are approved with the newest import that has them."""
    ids = [
        each.known.id
        for each in taken
        if each.known is not None
        and each.known.draft_state == DraftState.in_review
        and each.known.draft_import_id not in (None, import_id)
    ]
    await drafts.adopt(session, ids, import_id)
