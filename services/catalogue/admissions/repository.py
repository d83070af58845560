"""Every query about admissions, opinions and caps."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.catalogue.models import (
    Admission,
    AdmissionCap,
    AdmissionHistory,
    AdmissionOpinion,
    AdmissionState,
    Item,
    ItemUse,
    ItemVersion,
    Status,
)


def _admissions() -> Select[Any]:
    return select(*Admission.__table__.c)  # type: ignore[attr-defined]


async def _all(session: AsyncSession, query: Select[Any]) -> Sequence[Any]:
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows


async def find(session: AsyncSession, admission_id: UUID) -> Any | None:
    query = _admissions().where(col(Admission.id) == admission_id)
    return (await session.execute(query)).one_or_none()


async def lock(session: AsyncSession, admission_id: UUID) -> Any | None:
    """An admission, locked until the transaction ends."""
    query = _admissions().where(col(Admission.id) == admission_id).with_for_update()
    return (await session.execute(query)).one_or_none()


async def list_page(
    session: AsyncSession,
    *,
    division: str,
    kind: str | None,
    state: str | None,
    review_by: date | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Any]:
    """Admissions of the counties of a subtree, or of the county a village lies in."""
    prefix = division_prefix(division)
    place = (
        col(Admission.division_code).startswith(prefix)
        if len(prefix) <= 6
        else col(Admission.division_code) == prefix[:6].ljust(12, "0")
    )
    query = _admissions().where(place).order_by(col(Admission.id)).limit(limit)
    if kind is not None:
        query = query.where(col(Admission.kind) == kind)
    if state is not None:
        query = query.where(col(Admission.state) == state)
    if review_by is not None:
        query = query.where(
            col(Admission.state) == AdmissionState.admitted, col(Admission.review_on) <= review_by
        )
    if after is not None:
        query = query.where(col(Admission.id) > after)
    return await _all(session, query)


async def list_in_force(
    session: AsyncSession, *, county: str, kind: str, on: date, after: UUID | None, limit: int
) -> Sequence[Any]:
    """What villages of a county carry on a day."""
    query = (
        _admissions()
        .where(
            col(Admission.division_code) == county,
            col(Admission.kind) == kind,
            col(Admission.state) == AdmissionState.admitted,
            col(Admission.valid_from) <= on,
            col(Admission.valid_until) >= on,
        )
        .order_by(col(Admission.id))
        .limit(limit)
    )
    if after is not None:
        query = query.where(col(Admission.id) > after)
    return await _all(session, query)


async def count_admitted(session: AsyncSession, county: str, kind: str) -> int:
    """How many of a kind are handed to the villages of a county."""
    query = (
        select(func.count())
        .select_from(Admission)
        .where(
            col(Admission.division_code) == county,
            col(Admission.kind) == kind,
            col(Admission.state) == AdmissionState.admitted,
        )
    )
    return int((await session.execute(query)).scalar_one())


async def find_item(session: AsyncSession, item_id: UUID) -> Any | None:
    """A published item: its code, division, department, and whether villages may have it."""
    query = (
        select(
            col(Item.id),
            col(Item.item_code),
            col(Item.division_code),
            col(Item.department),
            ItemVersion.content["forbidden_to_villages"].label("forbidden"),
        )
        .join(
            ItemVersion,
            (col(ItemVersion.item_id) == col(Item.id))
            & (col(ItemVersion.number) == col(Item.current_version)),
        )
        .where(col(Item.id) == item_id, col(Item.status).in_((Status.published, Status.paused)))
    )
    return (await session.execute(query)).one_or_none()


async def find_item_code(session: AsyncSession, item_id: UUID) -> str | None:
    found: str | None = await session.scalar(
        select(col(Item.item_code)).where(col(Item.id) == item_id)
    )
    return found


async def count_cases(session: AsyncSession, item_id: UUID, county: str, since: date) -> int:
    """Cases of an item in a county from the month of a day on."""
    query = select(func.coalesce(func.sum(col(ItemUse.cases)), 0)).where(
        col(ItemUse.item_id) == item_id,
        col(ItemUse.division_code) == county,
        col(ItemUse.month) >= since.replace(day=1),
    )
    return int((await session.execute(query)).scalar_one())


async def add(session: AsyncSession, **values: Any) -> None:
    await session.execute(insert(Admission).values(**values))


async def change(
    session: AsyncSession, admission_id: UUID, *, version: int, changed_at: datetime, **values: Any
) -> None:
    """Write a row and its version; the row must be locked."""
    await session.execute(
        update(Admission)
        .where(col(Admission.id) == admission_id)
        .values(version=version, changed_at=changed_at, **values)
    )


async def add_history(session: AsyncSession, **values: Any) -> None:
    await session.execute(insert(AdmissionHistory).values(**values))


async def list_history(session: AsyncSession, admission_id: UUID) -> Sequence[Any]:
    """What was done, newest first."""
    query = (
        select(*AdmissionHistory.__table__.c)  # type: ignore[attr-defined]
        .where(col(AdmissionHistory.admission_id) == admission_id)
        .order_by(col(AdmissionHistory.id).desc())
    )
    return await _all(session, query)


async def put_opinion(session: AsyncSession, **values: Any) -> None:
    """Keep a township's opinion; a later one replaces it."""
    statement = postgresql.insert(AdmissionOpinion).values(**values)
    key = ("admission_id", "township")
    kept = {name: statement.excluded[name] for name in values if name not in key}
    await session.execute(statement.on_conflict_do_update(index_elements=key, set_=kept))


async def list_opinions(session: AsyncSession, admission_id: UUID) -> Sequence[Any]:
    query = (
        select(*AdmissionOpinion.__table__.c)  # type: ignore[attr-defined]
        .where(col(AdmissionOpinion.admission_id) == admission_id)
        .order_by(col(AdmissionOpinion.township))
    )
    return await _all(session, query)


async def lock_cap(session: AsyncSession, county: str, kind: str) -> Any | None:
    """The county's total for a kind, locked: who admits next waits and counts again."""
    query = (
        select(*AdmissionCap.__table__.c)  # type: ignore[attr-defined]
        .where(col(AdmissionCap.division_code) == county, col(AdmissionCap.kind) == kind)
        .with_for_update()
    )
    return (await session.execute(query)).one_or_none()


async def list_caps(session: AsyncSession, county: str) -> Sequence[Any]:
    query = (
        select(*AdmissionCap.__table__.c)  # type: ignore[attr-defined]
        .where(col(AdmissionCap.division_code) == county)
        .order_by(col(AdmissionCap.kind))
    )
    return await _all(session, query)


async def put_cap(session: AsyncSession, **values: Any) -> None:
    statement = postgresql.insert(AdmissionCap).values(**values)
    key = ("division_code", "kind")
    kept = {name: statement.excluded[name] for name in values if name not in key}
    await session.execute(statement.on_conflict_do_update(index_elements=key, set_=kept))
