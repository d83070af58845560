"""Queries of the copy of items, beside the scores that are theirs."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import ItemState
from contracts.values import division_prefix
from servicekit.copies import keep_newest
from services.evaluation.divisions import service as divisions
from services.evaluation.items.schemas import ItemFilter
from services.evaluation.models import ItemCopy

_COPY = ItemCopy.metadata.tables["item_copy"]
_FIELDS = set(_COPY.columns.keys()) - {"status"}
#: Below every Wilson floor: unrated items come last.
UNRATED = -1.0
#: A filter that was not given is null and holds for every item.
_RANK = text(
    "SELECT i.item_id, i.item_code, i.name, i.item_kind, i.supply_category, i.version, "
    "i.department, i.division_code AS offered_in, i.status, "
    "coalesce(s.satisfaction_floor, :unrated) AS place, s.* "
    "FROM item_copy i LEFT JOIN score s "
    "ON s.subject_kind = 'item' AND s.subject_id = CAST(i.item_id AS text) "
    "WHERE (CAST(:prefix AS text) IS NULL OR i.division_code LIKE :prefix "
    "OR i.division_code = ANY(CAST(:above AS text[]))) "
    "AND (CAST(:category AS text) IS NULL OR i.supply_category = :category) "
    "AND (CAST(:department AS text) IS NULL OR i.department = :department) "
    "AND (CAST(:kind AS text) IS NULL OR i.item_kind = :kind) "
    "AND (CAST(:status AS text) IS NULL AND i.status <> 'retired' OR i.status = :status) "
    "AND (CAST(:after_place AS double precision) IS NULL "
    "OR coalesce(s.satisfaction_floor, :unrated) < :after_place "
    "OR coalesce(s.satisfaction_floor, :unrated) = :after_place AND i.item_id > :after_id) "
    "ORDER BY place DESC, i.item_id LIMIT :limit"
)
_NAMES = text("SELECT item_id, name FROM item_copy WHERE item_id = ANY(:ids)")


async def names(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names of items as they are now; what the catalogue never told of is left out."""
    rows = await session.execute(_NAMES, {"ids": list(ids)})
    return {row.item_id: row.name for row in rows}


async def keep(session: AsyncSession, event: ItemState) -> None:
    """Store an item's state unless a newer one is there.

    Revisions came later than the event: among states without one, the clock decides.
    """
    values = event.model_dump(include=_FIELDS) | {"status": event.status}
    await keep_newest(session, _COPY, values, by=("revision", "recorded_at"))


async def rank(
    session: AsyncSession,
    chosen: ItemFilter,
    *,
    after: tuple[float, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Items with their scores over all time, best first, those without a rating last."""
    place, item_id = after or (None, None)
    within = chosen.division
    values = {
        "prefix": f"{division_prefix(within)}%" if within else None,
        "above": divisions.chain(within) if within else [],
        "category": chosen.category,
        "department": chosen.department,
        "kind": chosen.kind,
        "status": chosen.status,
        "unrated": UNRATED,
        "after_place": place,
        "after_id": item_id,
        "limit": limit,
    }
    return (await session.execute(_RANK, values)).all()
