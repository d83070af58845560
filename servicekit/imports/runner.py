"""The worker's part: reads files in batches, one transaction each, and goes on where it stopped."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import aclosing, closing
from itertools import islice
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import DATABASE_ERRORS, Database
from servicekit.errors import ServiceError
from servicekit.imports import jobs
from servicekit.imports.rows import Checked, ImportJob, Outcome, Problem, Row, RowHandler
from servicekit.logging import logger
from servicekit.metrics import IMPORT_ROWS
from servicekit.sheets import Cells, SheetError, SheetFormat, read_rows
from servicekit.transient import is_transient

IDLE_SECONDS = 1.0
#: A batch is checked without a pause: the relay and timers of the same process wait for it.
BATCH_ROWS = 200
#: One worker of a service takes files in; the lock lives in the service's own database.
IMPORT_LOCK = 7_310

Results = dict[int, Outcome | Problem]


class Interrupted(Exception):
    """The job was cancelled, or another worker has gone on with it."""


class ImportRunner:
    """Works off what was handed in, oldest first. `runner.run` is a job of `WorkerParts`."""

    def __init__(
        self, handlers: Mapping[str, RowHandler[Any]], *, batch_rows: int = BATCH_ROWS
    ) -> None:
        self._handlers = handlers
        self._batch_rows = batch_rows

    async def run(self, database: Database) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.run_waiting(database)
            except DATABASE_ERRORS as error:
                logger.warning("imports_lost_database", error=repr(error))
            await asyncio.sleep(IDLE_SECONDS)

    async def run_waiting(self, database: Database) -> int:
        """Work off what waits now; return how many jobs were seen."""
        seen = 0
        async with database.reading() as session:
            if await jobs.find_open(session) is None:
                return 0
        connection = await database.connect()
        try:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", IMPORT_LOCK):
                return 0
            while await self._run_next(database):
                seen += 1
        finally:
            connection.terminate()
        return seen

    async def _run_next(self, database: Database) -> bool:
        async with database.transaction() as session:
            row = await jobs.find_open(session)
            if row is None:
                return False
            await jobs.start(session, row.id)
        state, failure = "finished", None
        try:
            await self._take_in(database, row)
        except Interrupted:
            return True
        except SheetError as error:
            state, failure = "failed", str(error)
        except Exception as error:
            if is_transient(error):
                raise
            logger.error("import_failed", job_id=row.id, kind=row.kind, exc_info=error)
            state, failure = "failed", "系统出错，没有读完；请把这份文件交给管理员"
        async with database.transaction() as session:
            await jobs.end(session, row.id, state, failure)
        return True

    async def _take_in(self, database: Database, row: Any) -> None:
        handler, job = self._handlers[row.kind], jobs.as_job(row)
        seen: dict[bytes, int] = {}
        last_row = row.last_row
        with TemporaryFile() as source:
            async with database.reading() as session:
                await jobs.copy_file(session, row.id, source)
            batches = _batches(source, SheetFormat(row.format), self._batch_rows)
            async with aclosing(batches):
                async for batch in batches:
                    fresh, repeated = _without_repeats(handler, job, batch, seen)
                    if batch[-1].number <= last_row:
                        continue
                    fresh = [each for each in fresh if each.number > last_row]
                    repeated = [each for each in repeated if each.row > last_row]
                    async with database.transaction() as session:
                        await _ensure_ours(session, row.id, last_row)
                        await _take_in_batch(session, handler, job, fresh, repeated)
                        last_row = batch[-1].number
                    database.nudge_relay()


async def _batches(
    source: BinaryIO, sheet_format: SheetFormat, count: int
) -> AsyncGenerator[list[Row], None]:
    """Read in a thread, because a large sheet would hold up everything else."""
    table = read_rows(source, sheet_format)
    with closing(cast("Generator[tuple[int, Cells]]", table)):
        while True:
            reading = asyncio.ensure_future(asyncio.to_thread(_take, table, count))
            try:
                batch = await asyncio.shield(reading)
            except asyncio.CancelledError:
                await asyncio.wait([reading])  # the file must not be closed under the thread
                raise
            if not batch:
                return
            yield batch


def _take(table: Iterator[tuple[int, Cells]], count: int) -> list[Row]:
    return [Row(number, cells) for number, cells in islice(table, count)]


def _without_repeats(
    handler: RowHandler[Any], job: ImportJob, batch: list[Row], seen: dict[bytes, int]
) -> tuple[list[Row], list[Problem]]:
    """Split off rows about something an earlier row is about; eight bytes a row are remembered."""
    fresh, repeated = [], []
    for row in batch:
        key = handler.key(job, row)
        if key is not None:
            digest = hashlib.blake2b(key.encode(errors="replace"), digest_size=8).digest()
            first = seen.setdefault(digest, row.number)
            if first != row.number:
                message = f"与本文件第 {first} 行是同一条"
                repeated.append(Problem(row.number, "", key, message, "只留一行"))
                continue
        fresh.append(row)
    return fresh, repeated


async def _ensure_ours(session: AsyncSession, job_id: UUID, last_row: int) -> None:
    now = await jobs.lock(session, job_id)
    if now.state != "running" or now.last_row != last_row:
        raise Interrupted


async def _take_in_batch(
    session: AsyncSession,
    handler: RowHandler[Any],
    job: ImportJob,
    rows: list[Row],
    repeated: list[Problem],
) -> None:
    checked: Checked[Any] = await handler.check(session, job, rows) if rows else Checked()
    results = await _apply(session, handler, job, checked.ready) if checked.ready else {}
    refused = [each for each in results.values() if isinstance(each, Problem)]
    problems = sorted([*repeated, *checked.problems, *refused], key=lambda each: each.row)
    counts = Counter(str(each) for each in results.values() if isinstance(each, Outcome))
    read = len(rows) + len(repeated)
    counts["refused"] = read - counts.total()
    told = {each.row for each in problems if each.is_refusal}
    silent = {row.number for row in rows} - results.keys() - told
    if silent:
        raise RuntimeError(f"rows {sorted(silent)[:5]} were neither applied nor refused")
    await jobs.add_problems(session, job.id, problems)
    last_row = max([row.number for row in rows] + [each.row for each in repeated])
    named = {name: counts[name] for name in ("created", "changed", "unchanged", "refused")}
    await jobs.advance(session, job.id, last_row=last_row, read=read, **named)
    for name, number in named.items():
        IMPORT_ROWS.labels(job.kind, name).inc(number)


async def _apply(
    session: AsyncSession, handler: RowHandler[Any], job: ImportJob, ready: Mapping[int, Any]
) -> Results:
    """Apply a batch; when one of its rows cannot be written, each row by itself."""
    try:
        async with session.begin_nested() as savepoint:
            results = dict(await handler.apply(session, job, ready))
            if job.is_dry_run:
                await savepoint.rollback()
        return results
    except (ServiceError, DBAPIError) as error:
        if is_transient(error) or (isinstance(error, ServiceError) and error.status >= 500):
            raise
        if len(ready) == 1:
            return {number: _problem_of(number, error) for number in ready}
    results = {}
    for number, value in ready.items():
        results |= await _apply(session, handler, job, {number: value})
    return results


def _problem_of(row: int, error: ServiceError | DBAPIError) -> Problem:
    if isinstance(error, ServiceError):
        return Problem(row, "", "", error.detail, "更正后重新导入这一行")
    logger.warning("import_row_refused", row=row, error=repr(error.orig))
    return Problem(row, "", "", "这一行的内容无法保存", "检查是否含有特殊字符，或与已有数据冲突")
