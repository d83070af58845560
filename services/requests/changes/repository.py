"""The history of cases as a feed: in the order of transactions that are surely over.

A row shows only once every transaction that began before its own has ended, so that nothing can
appear behind a reader's cursor. Source: PostgreSQL's `pg_snapshot_xmin`.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

#: recorded_in, case, version: where a reader stopped.
Place = tuple[int, UUID, int]
START: Place = (0, UUID(int=0), 0)

_SETTLED = "h.recorded_in < (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint"
_FEED = """
SELECT h.recorded_in, h.case_id, h.version, h.action, h.from_state, h.to_state, h.happened_at,
    c.case_number, c.request_id, c.item_name, c.division_code, c.unit_code, c.unit_name, c.due_on,
    {settled} AS is_settled
FROM case_history h JOIN service_case c ON c.id = h.case_id
WHERE (h.recorded_in, h.case_id, h.version) > (:recorded_in, :case_id, :version) AND {which}
ORDER BY h.recorded_in, h.case_id, h.version LIMIT :limit
"""
_ALL = text(_FEED.format(settled=_SETTLED, which=_SETTLED))
_OF_REQUEST = text(
    _FEED.format(
        settled=_SETTLED,
        which="h.case_id IN (SELECT id FROM service_case WHERE request_id = :request_id)",
    )
)
_VERSIONS = text("SELECT id, version FROM service_case WHERE request_id = :request_id")


def _values(after: Place, limit: int) -> dict[str, Any]:
    return {"recorded_in": after[0], "case_id": after[1], "version": after[2], "limit": limit}


async def list_changes(session: AsyncSession, after: Place, limit: int) -> Sequence[Any]:
    """The next changes of all cases."""
    return (await session.execute(_ALL, _values(after, limit))).all()


async def list_of_request(
    session: AsyncSession, request_id: UUID, after: Place, limit: int
) -> Sequence[Any]:
    """The next changes of one request's cases, those that may not be told yet among them."""
    values = _values(after, limit) | {"request_id": request_id}
    return (await session.execute(_OF_REQUEST, values)).all()


async def versions_of_request(session: AsyncSession, request_id: UUID) -> dict[UUID, int]:
    """How far each case of a request is: quickly asked, and changed by every change."""
    rows = await session.execute(_VERSIONS, {"request_id": request_id})
    return {row.id: row.version for row in rows}
