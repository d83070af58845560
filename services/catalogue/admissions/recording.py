"""Every change of an admission: its row, its history, and the event with its full state."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import AdmissionRecorded
from servicekit.auth import Caller
from servicekit.identifiers import new_id
from servicekit.outbox import now, record
from services.catalogue.admissions import repository
from services.catalogue.items.publishing import CHINA
from services.catalogue.models import AdmissionState


async def write(
    session: AsyncSession,
    caller: Caller | None,
    row: Any,
    action: str,
    after: AdmissionState,
    *,
    reason: str | None = None,
    told: bool = False,
    **changes: Any,
) -> Any:
    at = now()
    await repository.change(
        session, row.id, version=row.version + 1, changed_at=at, state=after, **changes
    )
    before = AdmissionState(row.state)
    await remember(session, caller, row.id, action, before, after, at, reason=reason)
    changed = await repository.find(session, row.id)
    if told:
        await _tell(session, changed, at)
    return changed


async def _tell(session: AsyncSession, row: Any, at: datetime) -> None:
    code = None if row.item_id is None else await repository.find_item_code(session, row.item_id)
    await record(
        session,
        AdmissionRecorded(
            admission_key=f"admission:{row.id}",
            admission_id=row.id,
            version=row.version,
            kind=row.kind,
            name=row.name,
            item_id=row.item_id,
            item_code=code,
            division_code=row.division_code,
            department=row.department,
            approval_number=row.approval_number,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            times_per_year=row.content.get("times_per_year"),
            state=row.state,
            recorded_at=at,
        ),
    )


async def remember(
    session: AsyncSession,
    caller: Caller | None,
    admission_id: UUID,
    action: str,
    before: AdmissionState | None,
    after: AdmissionState,
    at: datetime,
    *,
    reason: str | None = None,
) -> None:
    await repository.add_history(
        session,
        id=new_id(),
        admission_id=admission_id,
        action=action,
        from_state=before,
        to_state=after,
        actor=str(caller.account_id) if caller else "clock",
        actor_name=caller.name if caller else None,
        reason=reason,
        happened_at=at,
    )


def today() -> date:
    return now().astimezone(CHINA).date()


def night_after(day: date) -> datetime:
    """Midnight in China after a day."""
    return datetime.combine(day + timedelta(days=1), time(), CHINA)
