"""Files handed in after the submission: a correction or a deferred material adds a version."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from servicekit.auth import Caller
from servicekit.identifiers import new_id
from services.requests.materials import repository
from services.requests.materials.usable import usable_files
from services.requests.models import CitizenRequest
from services.requests.submissions.schemas import MaterialWithFiles


async def hand_in_files(
    session: AsyncSession,
    case: Any,
    materials: Sequence[MaterialWithFiles],
    *,
    caller: Caller,
    now: datetime,
) -> None:
    """Add files as new versions of a case's materials; what was handed in before stays.

    Raises:
        FilesUnusable: names those that may not be handed in.

    Concurrency: the caller holds the case's row.
    """
    with_files = [material for material in materials if material.has_files]
    if not with_files:
        return
    raw = await (await session.connection()).get_raw_connection()
    assert raw.driver_connection is not None
    index = select(col(CitizenRequest.identity_index)).where(
        col(CitizenRequest.id) == case.request_id
    )
    reused = await usable_files(
        raw.driver_connection,
        uploads={each for material in with_files for each in material.upload_ids},
        reused={each for material in with_files for each in material.reuse},
        owner_id=caller.account_id,
        identity_index=(await session.execute(index)).scalar_one(),
        is_staff=not caller.is_resident,
    )
    rows = []
    for material in with_files:
        version = await repository.next_version(session, case.id, material.code)
        files: list[tuple[UUID, UUID | None]] = [(each, None) for each in material.upload_ids]
        files += [(reused[earlier], earlier) for earlier in material.reuse]
        rows += [
            {
                "id": new_id(),
                "case_id": case.id,
                "code": material.code,
                "version": version,
                "position": position,
                "upload_id": upload_id,
                "origin": "reuse" if earlier else "correction",
                "reused_from": earlier,
                "added_by": caller.account_id,
                "added_at": now,
            }
            for position, (upload_id, earlier) in enumerate(files)
        ]
    await repository.attach(session, rows)
