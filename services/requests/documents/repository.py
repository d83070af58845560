"""Queries of documents."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.requests.models import CaseDocument as D

_TAKE = text("""
INSERT INTO number_series AS s (series, next_serial) VALUES (:series, 2)
ON CONFLICT (series) DO UPDATE SET next_serial = s.next_serial + 1
RETURNING next_serial - 1
""")
_COLUMNS = (
    col(D.id), col(D.kind), col(D.number), col(D.issuer), col(D.issued_on), col(D.template),
    col(D.facts),
)  # fmt: skip


async def take_serial(session: AsyncSession, series: str) -> int:
    """The next serial, without gaps: a document that is not issued after all gives it back.

    Concurrency: locks the series until the commit; a unit issues its documents one by one.
    """
    return int((await session.execute(_TAKE, {"series": series})).scalar_one())


async def insert_document(session: AsyncSession, row: dict[str, Any]) -> None:
    """Issue a document."""
    await session.execute(insert(D).values(**row))


async def list_of_case(session: AsyncSession, case_id: UUID) -> Sequence[Any]:
    """A case's documents, in order (ids are time-ordered)."""
    statement = select(*_COLUMNS).where(col(D.case_id) == case_id).order_by(col(D.id))
    return (await session.execute(statement)).all()


async def find_document(session: AsyncSession, case_id: UUID, document_id: UUID) -> Any | None:
    """One document of a case."""
    statement = select(*_COLUMNS).where(col(D.case_id) == case_id, col(D.id) == document_id)
    return (await session.execute(statement)).one_or_none()
