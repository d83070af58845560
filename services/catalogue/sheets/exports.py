"""Exports: who may have one of which division, and how its rows go out in each format."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import DivisionCode
from servicekit.auth import Caller, require
from servicekit.database import Database, database_of
from servicekit.imports.service import PresetUnknown, from_thread
from servicekit.sheets import SheetFormat, download_headers, write_csv, write_xlsx
from services.catalogue.items.rules import STAFF
from services.catalogue.sheets.columns import Layout, layout, presets

#: Session, layout and division → the cells of each row in the order of the columns.
Rows = Callable[[AsyncSession, Layout, str], AsyncIterator[Sequence[object]]]
#: Session and division → each object as our own JSON has it.
Objects = Callable[[AsyncSession, str], AsyncIterator[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """An export that the caller may have."""

    database: Database
    division: str
    preset: str | None
    format: SheetFormat


async def asked_for(
    request: Request,
    caller: Annotated[Caller, Depends(require(*STAFF))],
    division: Annotated[DivisionCode, Query(description="区划，含下级")],
    format: Literal["csv", "xlsx", "json"] = "csv",
    preset: Annotated[str | None, Query(max_length=40, description="列名对照")] = None,
) -> Asked:
    """What an endpoint of an export is asked for.

    Raises:
        WrongRole, WrongDivision: the caller is not staff there.
        PresetUnknown: there is no such preset.
    """
    caller.ensure_covers(division)
    if preset is not None and preset not in presets():
        raise PresetUnknown(presets=sorted(presets()))
    return Asked(database_of(request), division, preset, SheetFormat(format))


AskedExport = Annotated[Asked, Depends(asked_for)]


def send(
    asked: Asked, title: str, rows: Rows, *, table: str = "columns", objects: Objects | None = None
) -> StreamingResponse:
    """Rows of a division and those below it, read while they are sent.

    JSON has one object per line; without a preset `objects` says what is in it, if given.
    """
    at = layout(asked.preset, table)
    header = at.headers
    read = _read(asked, at, rows)
    content: Any
    if asked.format is SheetFormat.csv:
        content = write_csv(header, read)
    elif asked.format is SheetFormat.xlsx:
        content = write_xlsx(header, from_thread(read), title=title)
    elif objects is not None and asked.preset is None:
        content = _lines(_read_objects(asked, objects))
    else:
        content = _lines(_under(header, read))
    return StreamingResponse(
        content,
        media_type=asked.format.media_type,
        headers=download_headers(f"{title}-{asked.division}.{asked.format}"),
    )


async def _read(asked: Asked, at: Layout, rows: Rows) -> AsyncGenerator[tuple[object, ...], None]:
    async with asked.database.reading() as session:
        async for row in rows(session, at, asked.division):
            yield tuple(row)


async def _read_objects(asked: Asked, objects: Objects) -> AsyncIterator[dict[str, Any]]:
    async with asked.database.reading() as session:
        async for each in objects(session, asked.division):
            yield each


async def _under(
    header: Sequence[str], rows: AsyncIterator[tuple[object, ...]]
) -> AsyncIterator[dict[str, Any]]:
    async for row in rows:
        yield dict(zip(header, row, strict=True))


async def _lines(objects: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    async for each in objects:
        yield orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE)
