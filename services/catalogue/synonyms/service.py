"""Use cases of synonyms: edit the list, and hold it in memory where searches are answered."""

from collections.abc import Hashable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.database import Database
from servicekit.errors import NotFound
from servicekit.etags import StaleVersion
from servicekit.outbox import now
from servicekit.paging import CursorMalformed, cut, decode_cursor, encode_cursor
from services.catalogue.divisions import division_chain
from services.catalogue.synonyms import repository
from services.catalogue.synonyms.rules import SynonymBook


class SynonymNotFound(NotFound):
    code, title = "synonym-not-found", "没有这个词"


async def put(
    session: AsyncSession,
    caller: Caller,
    *,
    division: str,
    word: str,
    means: tuple[str, ...],
    expected: int | None,
) -> Any:
    """Say what a word means; every replica searches by it within a second.

    Raises:
        WrongDivision: outside the editor's division.
        StaleVersion: somebody else changed it since it was read.

    Concurrency: one change at a time.
    """
    caller.ensure_covers(division)
    known = await repository.lock(session, division, word)
    if (known.version if known else None) != expected:
        raise StaleVersion
    await repository.put(
        session,
        division_code=division,
        word=word,
        means=list(dict.fromkeys(means)),
        version=(expected or 0) + 1,
        changed_by=str(caller.account_id),
        changed_by_name=caller.name,
        changed_at=now(),
    )
    return await repository.lock(session, division, word)


async def drop(
    session: AsyncSession, caller: Caller, *, division: str, word: str, expected: int
) -> None:
    """Forget a word.

    Raises:
        WrongDivision, StaleVersion: as for every change.
        SynonymNotFound: there is no such word.
    """
    caller.ensure_covers(division)
    known = await repository.lock(session, division, word)
    if known is None:
        raise SynonymNotFound
    if known.version != expected:
        raise StaleVersion
    await repository.drop(session, division, word)


async def list_page(
    session: AsyncSession, *, division: str | None, after: str | None, limit: int
) -> tuple[list[Any], str | None]:
    """Words that hold for a division, or all of them.

    Raises:
        CursorMalformed: `after` is none of ours.
    """
    rows = await repository.list_page(
        session,
        divisions=None if division is None else division_chain(division),
        after=_position(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    return page, encode_cursor(page[-1].word, page[-1].division_code) if more else None


def _position(after: str | None) -> tuple[str, str] | None:
    if after is None:
        return None
    word, division = decode_cursor(after, 2)
    if not isinstance(word, str) or not isinstance(division, str):
        raise CursorMalformed
    return word, division


async def fingerprint(database: Database) -> Hashable:
    """What tells whether a book is still the newest."""
    async with database.reading() as session:
        return await repository.revision(session)


async def load(database: Database) -> SynonymBook:
    """Read the whole book."""
    async with database.reading() as session:
        # Read first: a word changed meanwhile is loaded now and once more next time.
        revision = await repository.revision(session)
        rows = await repository.load(session)
    return SynonymBook(
        ((row.division_code, row.word, row.means) for row in rows), revision=revision
    )
