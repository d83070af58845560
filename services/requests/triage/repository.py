"""Queries of the copy of admissions."""

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.catalogue import AdmissionRecorded
from servicekit.copies import keep_newest
from services.requests.models import ItemAdmission
from services.requests.triage.rules import Admission

_ADMISSION = ItemAdmission.metadata.tables["item_admission"]


async def keep_admission(session: AsyncSession, event: AdmissionRecorded) -> None:
    """Store an admission's state unless a newer version is there."""
    values = event.model_dump(
        include={
            "admission_id",
            "version",
            "item_code",
            "division_code",
            "approval_number",
            "valid_from",
            "valid_until",
            "state",
            "recorded_at",
        }
    )
    await keep_newest(session, _ADMISSION, values, by=("version",))


async def list_admissions(session: AsyncSession) -> dict[str, tuple[Admission, ...]]:
    """Item code → its admissions that were not ended; their days are compared when they are used."""
    rows = await session.execute(
        select(
            col(ItemAdmission.item_code),
            col(ItemAdmission.division_code),
            col(ItemAdmission.valid_from),
            col(ItemAdmission.valid_until),
        ).where(col(ItemAdmission.state) == "admitted")
    )
    found: dict[str, list[Admission]] = defaultdict(list)
    for item_code, division_code, valid_from, valid_until in rows:
        found[item_code].append(Admission(item_code, division_code, valid_from, valid_until))
    return {item_code: tuple(admissions) for item_code, admissions in found.items()}
