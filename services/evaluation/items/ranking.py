"""Items of the catalogue with their scores: also those nobody has rated, and those that ended."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import RatingLevel
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor
from services.evaluation.items import repository
from services.evaluation.items.schemas import ItemFilter, RatedItem
from services.evaluation.scores.rules import Tally
from services.evaluation.scores.service import tally_of


async def rank(
    session: AsyncSession, chosen: ItemFilter, *, after: str | None, limit: int
) -> Page[RatedItem]:
    """Items of the catalogue by the lower bound of their 好评率, best first, unrated ones last.

    Raises:
        CursorMalformed: `after` is none of ours.
    """
    rows = await repository.rank(session, chosen, after=_position(after), limit=limit + 1)
    page, more = cut(list(rows), limit)
    cursor = encode_cursor(page[-1].place, page[-1].item_id) if more else None
    return Page(items=[_read(row) for row in page], next=cursor)


def _position(after: str | None) -> tuple[float, UUID] | None:
    if after is None:
        return None
    place, item_id = decode_cursor(after, 2)
    if not isinstance(place, float) or not isinstance(item_id, str):
        raise CursorMalformed
    try:
        return place, UUID(item_id)
    except ValueError:
        raise CursorMalformed from None


def _read(row: Any) -> RatedItem:
    tally = Tally() if row.subject_id is None else tally_of(row)
    return RatedItem(
        item_id=row.item_id,
        item_code=row.item_code,
        name=row.name,
        version=row.version,
        status=row.status,
        item_kind=row.item_kind,
        supply_category=row.supply_category,
        department=row.department,
        division_code=row.offered_in,
        counts={level: tally.current.get(level, 0) for level in RatingLevel},
        rated=tally.rated,
        satisfaction_ratio=tally.satisfaction_ratio,
        average_stars=tally.average_stars,
        bad_first=tally.bad_first,
        rectified_ratio=tally.rectified_ratio,
        satisfaction_floor=row.satisfaction_floor,
    )
