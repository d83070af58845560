"""Entries of the basic catalogue as a sheet, read while it is sent."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any

import orjson

from servicekit.database import Database
from servicekit.imports.service import from_thread
from servicekit.sheets import SheetFormat, write_csv, write_xlsx
from services.catalogue.basic_sheets.rows import TABLE
from services.catalogue.basics import repository
from services.catalogue.sheets import cells
from services.catalogue.sheets.columns import layout


def export(
    database: Database, sheet_format: SheetFormat, *, preset: str | None, division: str
) -> AsyncIterator[bytes] | Iterator[bytes]:
    """Entries that a division or one below it keeps, cancelled ones too, to be imported again."""
    header = [column.header for column in layout(preset, TABLE).columns]
    rows = _rows(database, preset, division)
    if sheet_format is SheetFormat.json:
        return _json(header, rows)
    if sheet_format is SheetFormat.csv:
        return write_csv(header, rows)
    return write_xlsx(header, from_thread(rows), title="基本目录")


async def _rows(
    database: Database, preset: str | None, division: str
) -> AsyncGenerator[tuple[object, ...], None]:
    at = layout(preset, TABLE)
    async with database.reading() as session:
        async for row in repository.iterate(session, division):
            said: dict[str, Any] = {
                **row.content,
                "basic_code": row.basic_code,
                "division_code": row.division_code,
                "state": row.state,
            }
            yield tuple(
                cells.write(column.kind, said.get(column.field), at.scheme) for column in at.columns
            )


async def _json(header: list[str], rows: AsyncIterator[tuple[object, ...]]) -> AsyncIterator[bytes]:
    """One object per line."""
    async for row in rows:
        yield orjson.dumps(dict(zip(header, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
