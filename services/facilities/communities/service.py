"""Communities: looked up, and counted once a year with a source and a history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.facilities import CommunityFiguresRecorded
from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound, PreconditionRequired
from servicekit.etags import StaleVersion
from servicekit.imports import Outcome
from servicekit.paging import Page, cut, encode_cursor
from services.facilities.communities import repository
from services.facilities.communities.rules import FIGURES, missing
from services.facilities.communities.schemas import (
    CommunityEntry,
    CommunityRead,
    FiguresRead,
    FiguresVersion,
    FiguresWrite,
)
from services.facilities.divisions import service as divisions
from services.facilities.hours.rules import LOCAL
from services.facilities.indicators import service as indicators
from services.facilities.metrics import FIGURES_RECORDED


class CommunityNotFound(NotFound):
    code, title = "community-not-found", "没有这个村（社区）"


class FiguresNotFound(NotFound):
    code, title = "figures-not-found", "这一年的数据尚未录入"


class YearAhead(Invalid):
    code, title = "year-ahead", "不能录入以后年份的数据"


class FiguresJustRecorded(Conflict):
    code, title = "figures-just-recorded", "他人刚刚录入了这一年的数据，请刷新后再试"


@dataclass(frozen=True, slots=True)
class Author:
    """Who recorded figures, by hand or with a sheet."""

    id: UUID
    name: str | None


async def get(session: AsyncSession, code: str) -> CommunityRead:
    """One community with its newest figures.

    Raises:
        CommunityNotFound: no community has this code.
    """
    row = await _find(session, code)
    (entry,) = await _entries(session, [row])
    return CommunityRead(**entry.model_dump(), years=await repository.list_years(session, code))


async def list_communities(
    session: AsyncSession, *, within: str | None, kind: str | None, after: str | None, limit: int
) -> Page[CommunityEntry]:
    """Communities of a division, by code."""
    codes = divisions.subtree(within) if within is not None else None
    rows = await repository.list_communities(
        session, codes=codes, kind=kind, after=after, limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    entries = await _entries(session, page)
    return Page(items=entries, next=encode_cursor(entries[-1].code) if more else None)


async def get_figures(session: AsyncSession, code: str, year: int) -> FiguresRead:
    """The figures of one year.

    Raises:
        CommunityNotFound: no community has this code.
        FiguresNotFound: nothing is recorded for the year.
    """
    await _find(session, code)
    row = await repository.find_figures(session, code, year)
    if row is None:
        raise FiguresNotFound(f"{year} 年的数据尚未录入")
    return figures_read(row)


async def record_figures(
    session: AsyncSession,
    caller: Caller,
    *,
    code: str,
    year: int,
    body: FiguresWrite,
    expected: int | None,
) -> tuple[FiguresRead, bool]:
    """Record a year's figures, or correct them; returns them and whether the year is new.

    The same figures once more change nothing. Concurrency: locks the row of the year.

    Raises:
        WrongDivision: the community lies outside the caller's subtree.
        CommunityNotFound: no community has this code.
        YearAhead: the year has not begun.
        PreconditionRequired: the year is on record and no version was named.
        StaleVersion: another version than the one the caller has read.
        FiguresJustRecorded: somebody else recorded the year at the same moment.
    """
    caller.ensure_covers(code)
    await _find(session, code)
    now = outbox.now()
    if year > now.astimezone(LOCAL).year:
        raise YearAhead
    current = await repository.find_figures(session, code, year, lock=True)
    author = Author(caller.account_id, caller.name)
    values = _values(author, code=code, year=year, body=body, now=now)
    if current is None:
        first = await _first(session, values, expected)
        await indicators.refresh(session, [code])
        return first, True
    if _is_same(current, values):
        return figures_read(current), False
    if expected is None:
        raise PreconditionRequired
    if expected != current.version:
        raise StaleVersion
    await repository.replace_figures(session, values | {"version": current.version + 1})
    written = await _written(session, code, year)
    await indicators.refresh(session, [code])
    return written, False


async def take_in(
    session: AsyncSession, author: Author, *, code: str, year: int, body: FiguresWrite
) -> Outcome:
    """Record a year's figures out of a sheet, over what is there; the version before is kept.

    Sums of indicators are left to the caller, who has many rows.

    Concurrency: locks the row of the year.

    Raises:
        FiguresJustRecorded: somebody else recorded the year at the same moment.
    """
    current = await repository.find_figures(session, code, year, lock=True)
    values = _values(author, code=code, year=year, body=body, now=outbox.now())
    if current is None:
        await _first(session, values, None)
        return Outcome.created
    if _is_same(current, values):
        return Outcome.unchanged
    await repository.replace_figures(session, values | {"version": current.version + 1})
    await _written(session, code, year)
    return Outcome.changed


async def list_versions(
    session: AsyncSession, caller: Caller, *, code: str, year: int
) -> Sequence[FiguresVersion]:
    """How a year's figures came to be, newest version first.

    Raises:
        WrongDivision: the community lies outside the caller's subtree.
        CommunityNotFound: no community has this code.
    """
    caller.ensure_covers(code)
    await _find(session, code)
    rows = await repository.list_versions(session, code, year)
    return [
        FiguresVersion(**figures_read(row).model_dump(), recorded_by_name=row.recorded_by_name)
        for row in rows
    ]


def figures_read(row: Any) -> FiguresRead:
    """Show a row of figures, naming what is missing."""
    fields = row._mapping
    return FiguresRead.model_validate({**fields, "missing": missing(fields)})


async def _first(
    session: AsyncSession, values: dict[str, Any], expected: int | None
) -> FiguresRead:
    if expected is not None:
        raise StaleVersion
    if not await repository.add_figures(session, values):
        raise FiguresJustRecorded
    return await _written(session, values["community_code"], values["year"])


async def _written(session: AsyncSession, code: str, year: int) -> FiguresRead:
    """Tell of the figures that were just written."""
    figures = await get_figures(session, code, year)
    event = CommunityFiguresRecorded(
        figures_key=f"figures:{code}:{year}",
        code=code,
        year=year,
        households=figures.households,
        residents=figures.residents,
        revision=figures.version,
        recorded_at=figures.recorded_at,
    )
    await outbox.record(session, event)
    FIGURES_RECORDED.inc()
    return figures


def _values(
    author: Author, *, code: str, year: int, body: FiguresWrite, now: datetime
) -> dict[str, Any]:
    return body.model_dump() | {
        "community_code": code,
        "year": year,
        "version": 1,
        "recorded_by": author.id,
        "recorded_by_name": author.name,
        "recorded_at": now,
    }


def _is_same(current: Any, values: dict[str, Any]) -> bool:
    return all(current._mapping[name] == values[name] for name in (*FIGURES, "source"))


async def _find(session: AsyncSession, code: str) -> Any:
    row = await repository.find(session, code)
    if row is None:
        raise CommunityNotFound(f"没有代码为 {code} 的村（社区）")
    return row


async def _entries(session: AsyncSession, rows: Sequence[Any]) -> list[CommunityEntry]:
    codes = [row.code for row in rows]
    paths = await divisions.path_names(session, codes)
    latest = await repository.latest_figures(session, codes)
    return [
        CommunityEntry(
            code=row.code,
            name=row.name,
            kind=row.kind,
            path=paths[row.code],
            latest=figures_read(latest[row.code]) if row.code in latest else None,
        )
        for row in rows
    ]
