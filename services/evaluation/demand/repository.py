"""Queries of needs: counts that add up, wishes, and the lists told."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import division_prefix
from servicekit.database import to_json
from services.evaluation.demand.rules import Need, listed_for
from services.evaluation.models import Wish

_COUNTS = ("searches", "wishes", "refusals", "service_wishes", "facility_wishes")
_ADD = text(
    f"INSERT INTO need_count AS n (month, division_code, topic, listed_for, {', '.join(_COUNTS)}) "  # noqa: S608
    f"VALUES (:month, :division_code, :topic, :listed_for, {', '.join(':' + c for c in _COUNTS)}) "
    "ON CONFLICT (month, division_code, topic) DO UPDATE SET "
    + ", ".join(f"{name} = n.{name} + excluded.{name}" for name in _COUNTS)
)
_WISHES_OF = text("SELECT count(*) FROM wish WHERE resident_id = :resident_id AND month = :month")
_LOCK_RESIDENT = text("SELECT pg_advisory_xact_lock(hashtextextended('wish:' || :resident_id, 0))")
_LIST_WISHES = text(
    "SELECT id, month, division_code, topic, kind, detail, wished_at FROM wish "
    "WHERE resident_id = :resident_id AND (CAST(:before AS uuid) IS NULL OR id < :before) "
    "ORDER BY id DESC LIMIT :limit"
)
_ASKED = "(searches + wishes + refusals)"
_LIST_COUNTS = text(
    f"SELECT *, {_ASKED} AS asked FROM need_count "  # noqa: S608
    "WHERE month = :month AND division_code LIKE :prefix AND (CAST(:asked AS int) IS NULL OR "
    f"({_ASKED}, division_code, topic) < (CAST(:asked AS int), :division_code, :topic)) "
    f"ORDER BY {_ASKED} DESC, division_code DESC, topic DESC LIMIT :limit"
)
_UNLISTED = text(
    "SELECT DISTINCT c.month, c.listed_for FROM need_count c WHERE c.month <= :month "
    "AND NOT EXISTS (SELECT FROM need_list l WHERE l.division_code = c.listed_for "
    "AND l.month = c.month) ORDER BY 1, 2"
)
_COUNTS_OF = text("SELECT * FROM need_count WHERE month = :month AND listed_for = :listed_for")
_WRITE_LIST = text(
    "INSERT INTO need_list (id, division_code, month, needs, listed_at) VALUES (:id, "
    ":division_code, :month, CAST(:needs AS jsonb), :listed_at) "
    "ON CONFLICT (division_code, month) DO NOTHING RETURNING id"
)
_LISTS = text(
    "SELECT * FROM need_list WHERE (CAST(:division_code AS text) IS NULL "
    "OR division_code = :division_code) AND (CAST(:month AS date) IS NULL "
    "OR (month, division_code) < (CAST(:month AS date), :after_division)) "
    "ORDER BY month DESC, division_code DESC LIMIT :limit"
)


def need_of(row: Any) -> Need:
    """Read a need out of a row of counts."""
    return Need(row.topic, row.division_code, *(getattr(row, name) for name in _COUNTS))


async def add(session: AsyncSession, month: date, need: Need) -> None:
    """Add to the count of a month, place and topic."""
    counts = {name: getattr(need, name) for name in _COUNTS}
    place = {"division_code": need.division_code, "listed_for": listed_for(need.division_code)}
    await session.execute(_ADD, {"month": month, "topic": need.topic, **place, **counts})


async def count_wishes(session: AsyncSession, resident_id: UUID, month: date) -> int:
    """How many wishes a resident has made in a month.

    Concurrency: further wishes of the resident wait until the commit.
    """
    await session.execute(_LOCK_RESIDENT, {"resident_id": str(resident_id)})
    counted = await session.execute(_WISHES_OF, {"resident_id": resident_id, "month": month})
    return int(counted.scalar_one())


async def insert_wish(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write a wish."""
    await session.execute(insert(Wish).values(**values))


async def list_wishes(
    session: AsyncSession, resident_id: UUID, *, before: UUID | None, limit: int
) -> Sequence[Any]:
    """Wishes of a resident, newest first."""
    values = {"resident_id": resident_id, "before": before, "limit": limit}
    return (await session.execute(_LIST_WISHES, values)).all()


async def list_counts(
    session: AsyncSession,
    within: str,
    month: date,
    *,
    after: tuple[int, str, str] | None,
    limit: int,
) -> Sequence[Any]:
    """What was asked for in a division in a month, most asked for first."""
    asked, division_code, topic = after or (None, None, None)
    rows = await session.execute(
        _LIST_COUNTS,
        {
            "month": month,
            "prefix": f"{division_prefix(within)}%",
            "asked": asked,
            "division_code": division_code,
            "topic": topic,
            "limit": limit,
        },
    )
    return rows.all()


async def list_unlisted(session: AsyncSession, month: date) -> Sequence[Any]:
    """Months up to this one, and counties, of which no list was told yet."""
    return (await session.execute(_UNLISTED, {"month": month})).all()


async def counts_of(session: AsyncSession, month: date, county: str) -> Sequence[Any]:
    """Everything asked for in a county in a month."""
    return (await session.execute(_COUNTS_OF, {"month": month, "listed_for": county})).all()


async def write_list(
    session: AsyncSession,
    list_id: UUID,
    county: str,
    month: date,
    needs: list[dict[str, Any]],
    listed_at: datetime,
) -> bool:
    """Write a list; False when there is one."""
    values = {"id": list_id, "division_code": county, "month": month, "listed_at": listed_at}
    written = await session.execute(_WRITE_LIST, {**values, "needs": to_json(needs)})
    return written.first() is not None


async def lists(
    session: AsyncSession,
    division_code: str | None,
    *,
    after: tuple[date, str] | None,
    limit: int,
) -> Sequence[Any]:
    """Lists told, newest month first."""
    month, after_division = after or (None, None)
    rows = await session.execute(
        _LISTS,
        {
            "division_code": division_code,
            "month": month,
            "after_division": after_division,
            "limit": limit,
        },
    )
    return rows.all()
