"""Lists of the standard: a page as JSON, or everything as lines of JSON."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import Database, ReadSession, database_of
from services.facilities.hsds.schemas import ContentPage

MAX_PAGE = 100_000
LINES = "application/x-ndjson"
#: How many objects are read at a time for a stream.
CHUNK = 100
#: Session, number of the page and its size → the page.
Fetch = Callable[[AsyncSession, int, int], Awaitable[ContentPage[Any]]]


@dataclass(frozen=True, slots=True)
class Listing:
    """How a list is to be given."""

    database: Database
    session: AsyncSession
    page: int
    per_page: int
    as_lines: bool

    async def answer(self, fetch: Fetch) -> ContentPage[Any] | StreamingResponse:
        """A page, or all of them as lines; page and size are not looked at then."""
        if not self.as_lines:
            return await fetch(self.session, self.page, self.per_page)
        return StreamingResponse(_lines(self.database, fetch), media_type=LINES)


async def _lines(database: Database, fetch: Fetch) -> AsyncIterator[bytes]:
    """Each chunk in a transaction of its own: a slow reader holds no connection."""
    number, is_last = 0, False
    while not is_last:
        number += 1
        async with database.reading() as session:
            found = await fetch(session, number, CHUNK)
        for content in found.contents:
            yield content.model_dump_json(exclude_none=True).encode() + b"\n"
        is_last = found.last_page


async def _listing(
    request: Request,
    session: ReadSession,
    page: Annotated[
        int, Query(ge=1, le=MAX_PAGE, description="Page number of paginated result.")
    ] = 1,
    per_page: Annotated[
        int, Query(ge=1, le=100, description="Number of results in a single page.")
    ] = 20,
    form: Annotated[
        Literal["json", "ndjson"],
        Query(alias="format", description="`ndjson` streams all the results without pagination."),
    ] = "json",
) -> Listing:
    return Listing(database_of(request), session, page, per_page, form == "ndjson")


Listed = Annotated[Listing, Depends(_listing)]
