"""Changes for those who may see the cases; progress for the resident who waits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import takewhile
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.database import Database
from servicekit.paging import CursorMalformed, decode_cursor, encode_cursor
from services.requests.changes import repository
from services.requests.changes.repository import START, Place
from services.requests.changes.schemas import Change, Changes

#: Rows looked at for one page: somebody who may see few of them gets on all the same.
SCANNED = 1_000
#: Between two looks; a comment is sent at least this often, so that the gateway keeps waiting.
POLL_SECONDS = 1.0


def place_of(cursor: str | None) -> Place:
    """The place a cursor names; the start without one.

    Raises:
        CursorMalformed.
    """
    if cursor is None:
        return START
    recorded_in, case_id, version = decode_cursor(cursor, 3)
    try:
        return int(recorded_in), UUID(case_id), int(version)
    except (TypeError, ValueError, AttributeError):
        raise CursorMalformed from None


def _cursor(row: Any) -> str:
    return encode_cursor(row.recorded_in, row.case_id, row.version)


def _may_see(row: Any, caller: Caller) -> bool:
    return caller.covers(row.division_code) or (
        caller.unit is not None and caller.unit == row.unit_code
    )


async def read_changes(
    session: AsyncSession, *, after: str | None, limit: int, caller: Caller
) -> Changes:
    """The next changes of cases in the caller's division or unit.

    Raises:
        CursorMalformed.
    """
    rows = await repository.list_changes(session, place_of(after), SCANNED)
    items: list[Change] = []
    seen = 0
    for row in rows:
        seen += 1
        if _may_see(row, caller):
            items.append(Change.model_validate(row, from_attributes=True))
            if len(items) == limit:
                break
    last = rows[seen - 1] if seen else None
    return Changes(
        items=items,
        next=_cursor(last) if last is not None else after,
        has_more=seen < len(rows) or len(rows) == SCANNED,
    )


async def follow(
    database: Database, request_id: UUID, *, after: str | None, seconds: float
) -> AsyncIterator[bytes]:
    """Server-sent events of a request's cases for a time; the client comes back with the last id.

    Source: HTML Standard, server-sent events.
    """
    place = place_of(after)
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + seconds
    #: As far as every change was told; the history, in its many months, is asked only past it.
    told: dict[UUID, int] | None = None
    yield b"retry: 2000\n\n"
    while loop.time() < ends_at:
        rows: Sequence[Any] = ()
        async with database.reading() as session:
            versions = await repository.versions_of_request(session, request_id)
            if versions != told:
                rows = await repository.list_of_request(session, request_id, place, SCANNED)
        settled = list(takewhile(lambda row: row.is_settled, rows))
        if len(settled) == len(rows) < SCANNED:
            told = versions
        for row in settled:
            place = (row.recorded_in, row.case_id, row.version)
            data = Change.model_validate(row, from_attributes=True).model_dump(mode="json")
            yield b"id: %b\nevent: change\ndata: %b\n\n" % (
                _cursor(row).encode(),
                orjson.dumps(data),
            )
        if not settled:
            yield b": waiting\n\n"
        await asyncio.sleep(min(POLL_SECONDS, max(0.0, ends_at - loop.time())))
