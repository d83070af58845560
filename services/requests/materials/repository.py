"""Queries of uploads, their parts, and the materials of cases."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.requests.materials.store import Part
from services.requests.models import CaseMaterial as M
from services.requests.models import CitizenRequest, ServiceCase
from services.requests.models import MaterialPart as P
from services.requests.models import MaterialUpload as U

_UPLOAD: tuple[Any, ...] = (
    col(U.id), col(U.owner_id), col(U.file_name), col(U.size_bytes), col(U.received_bytes),
    col(U.parts), col(U.content_key), col(U.media_type), col(U.sha256), col(U.state), col(U.scan),
    col(U.expires_at),
)  # fmt: skip
_FILE: tuple[Any, ...] = (
    col(M.id), col(M.code), col(M.version), col(M.position), col(M.origin), col(M.added_at),
    col(M.upload_id), col(U.file_name), col(U.media_type), col(U.size_bytes), col(U.sha256),
    col(U.scan), col(U.content_key).is_(None).label("destroyed"),
)  # fmt: skip


async def insert_upload(session: AsyncSession, values: dict[str, Any]) -> None:
    """Begin an upload."""
    await session.execute(insert(U).values(**values))


async def count_unattached(session: AsyncSession, owner_id: UUID) -> int:
    """How many files an account has that belong to no case."""
    statement = select(func.count()).where(
        col(U.owner_id) == owner_id, col(U.expires_at) > func.now()
    )
    return (await session.execute(statement)).scalar_one()


async def find_upload(session: AsyncSession, upload_id: UUID) -> Any | None:
    """An upload."""
    return (await session.execute(select(*_UPLOAD).where(col(U.id) == upload_id))).one_or_none()


async def add_part(
    session: AsyncSession, upload_id: UUID, part: Part, *, offset: int, size: int
) -> bool:
    """Note a stored part that begins at an offset; False when the file has gone on since.

    Concurrency: of two parts for one offset the first wins.
    """
    moved = await session.execute(
        update(U)
        .where(col(U.id) == upload_id, col(U.received_bytes) == offset, col(U.parts) == part.number)
        .values(received_bytes=offset + size, parts=part.number + 1)
        .returning(col(U.id))
    )
    if moved.first() is None:
        return False
    await session.execute(
        insert(P).values(
            upload_id=upload_id,
            number=part.number,
            object_name=part.object_name,
            size_bytes=size,
        )
    )
    return True


async def list_parts(session: AsyncSession, upload_id: UUID) -> list[Part]:
    """The parts of a file, in order."""
    rows = await session.execute(
        select(col(P.number), col(P.object_name))
        .where(col(P.upload_id) == upload_id)
        .order_by(col(P.number))
    )
    return [Part(number, name) for number, name in rows]


async def update_upload(session: AsyncSession, upload_id: UUID, changes: dict[str, Any]) -> None:
    """Change an upload."""
    await session.execute(update(U).where(col(U.id) == upload_id).values(**changes))


async def forget_content(session: AsyncSession, upload_ids: Sequence[UUID]) -> None:
    """Drop the key and the parts of files for good; their rows stay."""
    await session.execute(delete(P).where(col(P.upload_id).in_(upload_ids)))
    await session.execute(update(U).where(col(U.id).in_(upload_ids)).values(content_key=None))


async def rename(session: AsyncSession, upload_ids: Sequence[UUID], file_name: str) -> None:
    """Give files another name, encrypted as the column is."""
    await session.execute(update(U).where(col(U.id).in_(upload_ids)).values(file_name=file_name))


async def list_of_case(session: AsyncSession, case_id: UUID) -> Sequence[Any]:
    """Every file of a case, by material, version and position."""
    statement = (
        select(*_FILE)
        .join(U, col(U.id) == col(M.upload_id))
        .where(col(M.case_id) == case_id)
        .order_by(col(M.code), col(M.version), col(M.position))
    )
    return (await session.execute(statement)).all()


async def list_reusable(
    session: AsyncSession, account_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Any]:
    """Files of an account's earlier cases that can be read still, newest first."""
    statement = (
        select(*_FILE, col(ServiceCase.item_name), col(ServiceCase.case_number))
        .join(U, col(U.id) == col(M.upload_id))
        .join(ServiceCase, col(ServiceCase.id) == col(M.case_id))
        .join(CitizenRequest, col(CitizenRequest.id) == col(ServiceCase.request_id))
        .where(
            col(CitizenRequest.applicant_id) == account_id,
            col(U.content_key).is_not(None),
            col(U.scan) != "infected",
        )
    )
    if after is not None:
        statement = statement.where(col(M.id) < after)
    return (await session.execute(statement.order_by(col(M.id).desc()).limit(limit))).all()


async def find_material(session: AsyncSession, material_id: UUID) -> Any | None:
    """A file of a case, with the case it belongs to."""
    statement = (
        select(*_FILE, col(M.case_id))
        .join(U, col(U.id) == col(M.upload_id))
        .where(col(M.id) == material_id)
    )
    return (await session.execute(statement)).one_or_none()


async def next_version(session: AsyncSession, case_id: UUID, code: str) -> int:
    """The version a material handed in now gets; the case's row is locked."""
    statement = select(func.coalesce(func.max(col(M.version)), 0) + 1).where(
        col(M.case_id) == case_id, col(M.code) == code
    )
    return (await session.execute(statement)).scalar_one()


async def attach(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Make files part of a case; what belongs to a case is not forgotten."""
    await session.execute(insert(M), rows)
    uploads = {row["upload_id"] for row in rows}
    await session.execute(update(U).where(col(U.id).in_(uploads)).values(expires_at=None))


_TO_SCAN = text("""
UPDATE material_upload SET scan_attempts = scan_attempts + 1 WHERE id = (
    SELECT id FROM material_upload
    WHERE scan = 'pending' AND state = 'complete' AND content_key IS NOT NULL
        AND completed_at + make_interval(secs => 30 * scan_attempts * scan_attempts) <= now()
    ORDER BY completed_at LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id
""")
_ORPHAN = """
    expires_at < now() - interval '1 hour'
    AND NOT EXISTS (SELECT FROM case_material m WHERE m.upload_id = u.id)
"""
_ORPHANS = text(
    f"SELECT id FROM material_upload u WHERE {_ORPHAN} ORDER BY expires_at LIMIT 100"  # noqa: S608
)
_FORGET = text(
    f"DELETE FROM material_upload u WHERE id = ANY(:ids) AND {_ORPHAN}"  # noqa: S608
)


async def take_to_scan(session: AsyncSession) -> UUID | None:
    """The file that has waited longest for a scan; one that failed waits longer each time.

    Concurrency: counts as an attempt at once, so that two workers take two files.
    """
    return (await session.execute(_TO_SCAN)).scalar_one_or_none()


async def list_orphans(session: AsyncSession) -> list[UUID]:
    """Up to a hundred uploads that nobody handed in and nobody may hand in any more."""
    return list((await session.execute(_ORPHANS)).scalars())


async def delete_orphans(session: AsyncSession, upload_ids: list[UUID]) -> None:
    """Forget orphans whose content is gone."""
    await session.execute(_FORGET, {"ids": upload_ids})
