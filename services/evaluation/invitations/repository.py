"""Queries of invitations, devices, batches and wrong codes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.evaluation.access import Scope
from services.evaluation.invitations.rules import Attempts
from services.evaluation.models import Attachment, Invitation, RatingBatch, RatingDevice

#: Named, so that a column can be dropped while processes of before still run.
_INVITATION = (
    col(Invitation.id),
    col(Invitation.evaluable_id),
    col(Invitation.channel),
    col(Invitation.expires_on),
    col(Invitation.device_id),
    col(Invitation.used_at),
)
_DEVICE = RatingDevice.__table__  # type: ignore[attr-defined]
_EVALUABLE = text(
    "SELECT e.id, e.unit_code, c.division_code FROM case_copy c JOIN evaluable e USING (case_id) "
    "WHERE c.case_number = :case_number AND e.service_number = :service_number"
)
_ATTEMPTS = text(
    "SELECT failures, counted_from FROM code_attempts WHERE case_number = :case_number FOR UPDATE"
)
_COUNT = text(
    "INSERT INTO code_attempts (case_number, failures, counted_from) "
    "VALUES (:case_number, :failures, :counted_from) ON CONFLICT (case_number) DO UPDATE SET "
    "failures = excluded.failures, counted_from = excluded.counted_from"
)


async def find_evaluable(
    session: AsyncSession, case_number: str, service_number: int
) -> Any | None:
    """Id, unit and village of a service by the number of its case."""
    values = {"case_number": case_number, "service_number": service_number}
    return (await session.execute(_EVALUABLE, values)).one_or_none()


async def lock_attempts(session: AsyncSession, case_number: str) -> Attempts | None:
    """Wrong codes for a case number, locked until the commit."""
    row = (await session.execute(_ATTEMPTS, {"case_number": case_number})).one_or_none()
    return Attempts(row.failures, row.counted_from) if row else None


async def keep_attempts(session: AsyncSession, case_number: str, attempts: Attempts) -> None:
    """Write down how many wrong codes there were."""
    values = {"failures": attempts.failures, "counted_from": attempts.counted_from}
    await session.execute(_COUNT, {"case_number": case_number, **values})


async def add(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Write a new invitation."""
    await session.execute(insert(Invitation).values(**values))


async def lock(session: AsyncSession, invitation_id: UUID) -> Any | None:
    """One invitation, locked until the commit."""
    query = select(*_INVITATION).where(col(Invitation.id) == invitation_id).with_for_update()
    return (await session.execute(query)).one_or_none()


async def mark_used(session: AsyncSession, invitation_id: UUID, at: datetime) -> None:
    """A token works once."""
    await session.execute(
        update(Invitation).where(col(Invitation.id) == invitation_id).values(used_at=at)
    )


async def find_shown(session: AsyncSession, device_id: UUID, since: datetime) -> Any | None:
    """What a device shall show now: the newest unused invitation pushed to it."""
    query = (
        select(*_INVITATION)
        .where(
            col(Invitation.device_id) == device_id,
            col(Invitation.used_at).is_(None),
            col(Invitation.issued_at) > since,
        )
        .order_by(col(Invitation.issued_at).desc())
        .limit(1)
    )
    return (await session.execute(query)).one_or_none()


async def add_device(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Register a device."""
    await session.execute(insert(RatingDevice).values(**values))


async def find_device(session: AsyncSession, device_id: UUID, *, lock: bool = False) -> Any | None:
    """One device."""
    query = select(_DEVICE).where(col(RatingDevice.id) == device_id)
    if lock:
        query = query.with_for_update()
    return (await session.execute(query)).one_or_none()


async def change_device(session: AsyncSession, device_id: UUID, values: Mapping[str, Any]) -> None:
    """Change a locked device."""
    await session.execute(
        update(RatingDevice).where(col(RatingDevice.id) == device_id).values(**values)
    )


async def list_devices(
    session: AsyncSession, scope: Scope, *, after: UUID | None, limit: int
) -> Sequence[Any]:
    """Devices of a unit or a division."""
    query = select(_DEVICE).order_by(col(RatingDevice.id)).limit(limit)
    if scope.unit_code is not None:
        query = query.where(col(RatingDevice.unit_code) == scope.unit_code)
    if scope.division_prefix is not None:
        query = query.where(
            col(RatingDevice.unit_code).startswith(scope.division_prefix, autoescape=True)
        )
    if after is not None:
        query = query.where(col(RatingDevice.id) > after)
    return (await session.execute(query)).all()


async def add_batch(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Write a new batch of paper forms."""
    await session.execute(insert(RatingBatch).values(**values))


async def close_batch(session: AsyncSession, batch_id: UUID, taken: int) -> None:
    """Write down how many rows were taken."""
    await session.execute(
        update(RatingBatch).where(col(RatingBatch.id) == batch_id).values(taken=taken)
    )


async def is_scan_known(session: AsyncSession, sha256: str) -> bool:
    """Whether this very scan was typed in before."""
    query = select(col(Attachment.id)).where(
        col(Attachment.sha256) == sha256, col(Attachment.owner_kind) == "batch"
    )
    return (await session.execute(query.limit(1))).first() is not None
