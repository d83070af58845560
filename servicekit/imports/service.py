"""Taking a file from a request, and asking what became of it."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.database import Database, database_of
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.idempotency import HEADER, MAX_KEY_LENGTH, KeyMalformed, KeyReused
from servicekit.identifiers import new_id
from servicekit.imports import jobs
from servicekit.sheets import SheetFormat, write_csv, write_xlsx

_SPOOLED_BYTES = 1 << 20
_REPORT = ("行号", "是否拒收", "字段", "内容", "问题", "怎么改")


class ImportNotFound(NotFound):
    code, title = "import-not-found", "没有找到这次导入"


class ImportEnded(Conflict):
    code, title = "import-ended", "导入已经结束"


class FileEmpty(Invalid):
    code, title = "file-empty", "文件是空的"


class PresetUnknown(Invalid):
    code, title = "preset-unknown", "没有这种列名对照"


@dataclass(frozen=True, slots=True)
class Handed:
    """What is said of a file beside its content."""

    kind: str
    division_code: str
    file_name: str
    preset: str | None
    is_dry_run: bool


def format_of(content_type: str) -> SheetFormat:
    """The format a Content-Type means; the middleware has refused any other."""
    kind = content_type.split(";")[0].strip().lower()
    return next(each for each in SheetFormat if each.media_type.split(";")[0] == kind)


async def receive(request: Request, caller: Caller, handed: Handed) -> tuple[Any, bool]:
    """Keep the body of a request as a job that waits; returns it and whether it is new.

    The body goes to a local file first: no connection is held while a slow caller sends.

    Raises:
        FileEmpty: there is no body.
        KeyMalformed, KeyReused: the Idempotency-Key is unusable, or was used for something else.
    """
    key = request.headers.get(HEADER)
    if key is not None and not (1 <= len(key) <= MAX_KEY_LENGTH and key.isprintable()):
        raise KeyMalformed
    with SpooledTemporaryFile(_SPOOLED_BYTES) as spooled:
        digest, size = hashlib.sha256(), 0
        async for part in request.stream():
            digest.update(part)
            size += len(part)
            spooled.write(part)
        if size == 0:
            raise FileEmpty
        spooled.seek(0)
        values = {
            "kind": handed.kind,
            "division_code": handed.division_code,
            "is_dry_run": handed.is_dry_run,
            "preset": handed.preset,
            "format": str(format_of(request.headers.get("content-type", ""))),
            "digest": digest.digest(),
        }
        async with database_of(request).transaction() as session:
            job_id = new_id()
            added = await jobs.add(
                session,
                cast("BinaryIO", spooled),
                id=job_id,
                file_name=handed.file_name,
                size_bytes=size,
                owner_id=caller.account_id,
                owner_name=caller.name,
                idempotency_key=key,
                **values,
            )
            if added:
                return await jobs.find(session, handed.kind, job_id), True
            assert key is not None
            known = await jobs.get_by_key(session, caller.account_id, key)
    if any(getattr(known, name) != value for name, value in values.items()):
        raise KeyReused
    return known, False


async def get(session: AsyncSession, caller: Caller, kind: str, job_id: UUID) -> Any:
    """A job.

    Raises:
        ImportNotFound: there is none of this kind.
        WrongDivision: outside the caller's division.
    """
    row = await jobs.find(session, kind, job_id)
    if row is None:
        raise ImportNotFound
    caller.ensure_covers(row.division_code)
    return row


async def cancel(session: AsyncSession, caller: Caller, kind: str, job_id: UUID) -> Any:
    """Stop a job after the batch in hand; what was taken in stays.

    Raises:
        ImportNotFound, WrongDivision: as for `get`.
        ImportEnded: it has ended by itself.
    """
    await get(session, caller, kind, job_id)
    if not await jobs.end(session, job_id, "cancelled"):
        raise ImportEnded
    return await jobs.find(session, kind, job_id)


async def _report(database: Database, job_id: UUID) -> AsyncGenerator[tuple[object, ...], None]:
    async with database.reading() as session:
        async for row in jobs.iterate_problems(session, job_id):
            refused = "拒收" if row.is_refusal else "提示"
            yield row.row_number, refused, row.field, row.value, row.message, row.remedy


def report(
    database: Database, job_id: UUID, sheet_format: SheetFormat
) -> AsyncIterator[bytes] | Iterator[bytes]:
    """A job's problems as a sheet, read from the database while it is sent."""
    rows = _report(database, job_id)
    if sheet_format is SheetFormat.csv:
        return write_csv(_REPORT, rows)
    return write_xlsx(_REPORT, from_thread(rows), title="导入问题")


def from_thread(
    rows: AsyncGenerator[tuple[object, ...], None],
) -> Iterator[tuple[object, ...]]:
    """Rows of this event loop for a writer that runs in a worker thread, as answers do."""
    loop = asyncio.get_running_loop()

    async def following() -> tuple[object, ...] | None:
        return await anext(rows, None)

    def waited_for() -> Iterator[tuple[object, ...]]:
        while (row := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
            yield row

    return waited_for()
