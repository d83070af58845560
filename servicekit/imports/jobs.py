"""Every statement about import jobs, their files and their reports."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import division_prefix
from servicekit.imports.rows import ImportJob, Problem

CHUNK_BYTES = 1 << 18

_ADD = text(
    "INSERT INTO import_job (id, kind, division_code, state, is_dry_run, preset, file_name, "
    "format, size_bytes, digest, repeats_id, owner_id, owner_name, idempotency_key) "
    "VALUES (:id, :kind, :division_code, 'waiting', :is_dry_run, :preset, :file_name, :format, "
    ":size_bytes, :digest, :repeats_id, :owner_id, :owner_name, :idempotency_key) "
    "ON CONFLICT (owner_id, idempotency_key) DO NOTHING RETURNING id"
)
_REPEATED = text(
    "SELECT id FROM import_job WHERE kind = :kind AND division_code = :division_code "
    "AND preset IS NOT DISTINCT FROM CAST(:preset AS text) AND digest = :digest "
    "AND state = 'finished' AND NOT is_dry_run ORDER BY id DESC LIMIT 1"
)
_ADD_CHUNK = text(
    "INSERT INTO import_chunk (job_id, position, content) VALUES (:job_id, :position, :content)"
)
_CHUNK = text("SELECT content FROM import_chunk WHERE job_id = :job_id AND position = :position")
_DROP_CHUNKS = text("DELETE FROM import_chunk WHERE job_id = :job_id")
_JOB = "SELECT * FROM import_job "
_BY_ID = text(_JOB + "WHERE id = :id AND kind = :kind")
_BY_KEY = text(_JOB + "WHERE owner_id = :owner_id AND idempotency_key = :key")
_LIST = text(
    _JOB + "WHERE kind = :kind AND division_code LIKE :prefix "
    "AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit"
)
_OPEN = text(_JOB + "WHERE state IN ('waiting', 'running') ORDER BY id LIMIT 1")
_LOCK = text(_JOB + "WHERE id = :id FOR UPDATE")
_START = text(
    "UPDATE import_job SET state = 'running', started_at = coalesce(started_at, now()) "
    "WHERE id = :id AND state IN ('waiting', 'running')"
)
_ADVANCE = text(
    "UPDATE import_job SET last_row = :last_row, rows_read = rows_read + :read, "
    "rows_created = rows_created + :created, rows_changed = rows_changed + :changed, "
    "rows_unchanged = rows_unchanged + :unchanged, rows_refused = rows_refused + :refused "
    "WHERE id = :id"
)
_END = text(
    "UPDATE import_job SET state = :state, failure = :failure, finished_at = now() "
    "WHERE id = :id AND state IN ('waiting', 'running') RETURNING id"
)
_ADD_PROBLEM = text(
    "INSERT INTO import_problem (job_id, row_number, is_refusal, field, value, message, remedy) "
    "VALUES (:job_id, :row, :is_refusal, :field, :value, :message, :remedy)"
)
_PROBLEMS = text(
    "SELECT id, row_number, is_refusal, field, value, message, remedy FROM import_problem "
    "WHERE job_id = :job_id AND id > :after ORDER BY id LIMIT :limit"
)


def as_job(row: Any) -> ImportJob:
    """The part of a job that handlers of rows see."""
    return ImportJob(
        row.id, row.kind, row.division_code, row.preset, row.file_name, row.owner_id, row.owner_name,
        row.is_dry_run,
    )  # fmt: skip


async def add(session: AsyncSession, source: BinaryIO, **values: Any) -> bool:
    """Write a job and its file; False when the caller has used the key before."""
    told = {name: values[name] for name in ("kind", "division_code", "preset", "digest")}
    repeats_id = await session.scalar(_REPEATED, told)
    if (await session.execute(_ADD, {**values, "repeats_id": repeats_id})).first() is None:
        return False
    position = 0
    while content := source.read(CHUNK_BYTES):
        chunk = {"job_id": values["id"], "position": position, "content": content}
        await session.execute(_ADD_CHUNK, chunk)
        position += 1
    return True


async def copy_file(session: AsyncSession, job_id: UUID, target: BinaryIO) -> None:
    """Write a job's file to a local one, piece by piece."""
    position = 0
    while content := await session.scalar(_CHUNK, {"job_id": job_id, "position": position}):
        target.write(content)
        position += 1
    target.seek(0)


async def find(session: AsyncSession, kind: str, job_id: UUID) -> Any | None:
    """A job of a kind."""
    return (await session.execute(_BY_ID, {"id": job_id, "kind": kind})).one_or_none()


async def get_by_key(session: AsyncSession, owner_id: UUID, key: str) -> Any:
    """The job for which a caller has used a key."""
    return (await session.execute(_BY_KEY, {"owner_id": owner_id, "key": key})).one()


async def list_page(
    session: AsyncSession, kind: str, *, within: str, before: UUID | None, limit: int
) -> Sequence[Any]:
    """Jobs of a subtree of divisions, newest first."""
    values = {
        "kind": kind,
        "prefix": f"{division_prefix(within)}%",
        "before": before,
        "limit": limit,
    }
    return (await session.execute(_LIST, values)).all()


async def find_open(session: AsyncSession) -> Any | None:
    """The oldest job that has not ended."""
    return (await session.execute(_OPEN)).one_or_none()


async def lock(session: AsyncSession, job_id: UUID) -> Any:
    """A job with its row locked until the transaction ends."""
    return (await session.execute(_LOCK, {"id": job_id})).one()


async def start(session: AsyncSession, job_id: UUID) -> None:
    await session.execute(_START, {"id": job_id})


async def advance(session: AsyncSession, job_id: UUID, **values: int) -> None:
    """Count a batch whose outcome is written in the same transaction."""
    await session.execute(_ADVANCE, {"id": job_id, **values})


async def end(session: AsyncSession, job_id: UUID, state: str, failure: str | None = None) -> bool:
    """End a job and forget its file; False when it had ended before."""
    ended = await session.execute(_END, {"id": job_id, "state": state, "failure": failure})
    if ended.first() is None:
        return False
    await session.execute(_DROP_CHUNKS, {"job_id": job_id})
    return True


async def add_problems(session: AsyncSession, job_id: UUID, problems: Sequence[Problem]) -> None:
    if problems:
        rows = [
            {
                "job_id": job_id, "row": each.row, "is_refusal": each.is_refusal,
                "field": each.field, "value": each.value.replace("\x00", ""),
                "message": each.message, "remedy": each.remedy,
            }
            for each in problems
        ]  # fmt: skip
        await session.execute(_ADD_PROBLEM, rows)


async def list_problems(
    session: AsyncSession, job_id: UUID, *, after: int, limit: int
) -> Sequence[Any]:
    """Problems in the order of their rows, from after one on."""
    values = {"job_id": job_id, "after": after, "limit": limit}
    return (await session.execute(_PROBLEMS, values)).all()


async def iterate_problems(session: AsyncSession, job_id: UUID) -> AsyncIterator[Any]:
    """Every problem of a job, a thousand in memory at a time."""
    after = 0
    while rows := await list_problems(session, job_id, after=after, limit=1000):
        for row in rows:
            yield row
        after = rows[-1].id
