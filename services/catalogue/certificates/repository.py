"""Every query about certificate lists and reports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.catalogue.models import (
    CertificateEntry,
    CertificateList,
    CertificateReport,
    CertificateReportHistory,
)

#: Two versions of one list at once would both take the next number.
_LOCK = text("SELECT pg_advisory_xact_lock(7304, hashtext(:code))")


async def _all(session: AsyncSession, query: Select[Any]) -> Sequence[Any]:
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows


def _lists() -> Select[Any]:
    return select(*CertificateList.__table__.c)  # type: ignore[attr-defined]


async def lists(session: AsyncSession) -> Sequence[Any]:
    """Every version of every list; a few dozen in the country."""
    return await _all(session, _lists().order_by(col(CertificateList.code)))


async def find_list(session: AsyncSession, list_id: UUID) -> Any | None:
    query = _lists().where(col(CertificateList.id) == list_id)
    return (await session.execute(query)).one_or_none()


async def lock_newest(session: AsyncSession, code: str) -> Any | None:
    """The newest version of a list; nobody else adds one until the transaction ends."""
    await session.execute(_LOCK, {"code": code})
    query = (
        _lists()
        .where(col(CertificateList.code) == code)
        .order_by(col(CertificateList.version).desc())
        .limit(1)
    )
    return (await session.execute(query)).one_or_none()


async def entries(session: AsyncSession, list_id: UUID) -> Sequence[Any]:
    """The certificates of a list in its order."""
    query = (
        select(*CertificateEntry.__table__.c)  # type: ignore[attr-defined]
        .where(col(CertificateEntry.list_id) == list_id)
        .order_by(col(CertificateEntry.position))
    )
    return await _all(session, query)


async def add_list(
    session: AsyncSession, values: dict[str, Any], rows: Sequence[dict[str, Any]]
) -> None:
    await session.execute(insert(CertificateList).values(**values))
    numbered = [
        {"list_id": values["id"], "position": n, **row} for n, row in enumerate(rows, start=1)
    ]
    await session.execute(insert(CertificateEntry), numbered)


async def add_report(session: AsyncSession, **values: Any) -> None:
    await session.execute(insert(CertificateReport).values(**values))


async def find_report(session: AsyncSession, report_id: UUID, *, lock: bool = False) -> Any | None:
    query = select(*CertificateReport.__table__.c).where(  # type: ignore[attr-defined]
        col(CertificateReport.id) == report_id
    )
    query = query.with_for_update() if lock else query
    return (await session.execute(query)).one_or_none()


async def list_reports(
    session: AsyncSession, *, within: str, state: str | None, after: UUID | None, limit: int
) -> Sequence[Any]:
    query = (
        select(*CertificateReport.__table__.c)  # type: ignore[attr-defined]
        .where(col(CertificateReport.division_code).startswith(division_prefix(within)))
        .order_by(col(CertificateReport.id))
        .limit(limit)
    )
    if state is not None:
        query = query.where(col(CertificateReport.state) == state)
    if after is not None:
        query = query.where(col(CertificateReport.id) > after)
    return await _all(session, query)


async def change_report(
    session: AsyncSession, report_id: UUID, *, changed_at: datetime, **values: Any
) -> None:
    """Write a report's row, which must be locked."""
    await session.execute(
        update(CertificateReport)
        .where(col(CertificateReport.id) == report_id)
        .values(changed_at=changed_at, **values)
    )


async def add_history(session: AsyncSession, **values: Any) -> None:
    await session.execute(insert(CertificateReportHistory).values(**values))


async def list_history(session: AsyncSession, report_id: UUID) -> Sequence[Any]:
    query = (
        select(*CertificateReportHistory.__table__.c)  # type: ignore[attr-defined]
        .where(col(CertificateReportHistory.report_id) == report_id)
        .order_by(col(CertificateReportHistory.id).desc())
    )
    return await _all(session, query)
