"""Queries of ratings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import RatingLevel
from services.evaluation.access import Scope
from services.evaluation.facts import EvaluableFacts
from services.evaluation.models import (
    CaseCopy,
    Evaluable,
    Rating,
    RatingRevision,
    RatingState,
    Rectification,
)

_COLUMNS: tuple[Any, ...] = (
    col(Rating.id),
    col(Rating.position),
    col(Rating.evaluable_id),
    col(Rating.assess_number),
    col(Rating.origin),
    col(Rating.level),
    col(Rating.tags),
    col(Rating.text),
    col(Rating.channel),
    col(Rating.given_at),
    col(Rating.given_on),
    col(Rating.state),
    col(Rating.item_id),
    col(Rating.unit_code),
    col(Rating.responsible_division),
    col(Evaluable.applicant_id),
    col(Evaluable.service_number),
    col(Evaluable.unit_name),
    col(CaseCopy.item_name),
    col(Rectification.id).label("rectification_id"),
    col(Rectification.due_on).label("rectification_due_on"),
    col(Rectification.is_disputed),
)


@dataclass(frozen=True, slots=True)
class NewRating:
    """A rating about to be written; `text` is sealed already."""

    id: UUID
    facts: EvaluableFacts
    assess_number: int
    origin: str
    level: str
    tags: list[str]
    text: str | None
    findings: list[str]
    channel: str | None
    given_at: datetime
    given_on: date
    device_hash: bytes | None = None
    phone_hash: bytes | None = None
    text_hash: bytes | None = None
    seconds_after: int | None = None
    entered_by: UUID | None = None
    entered_unit: str | None = None
    batch_id: UUID | None = None


def _select() -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join(Evaluable, col(Evaluable.id) == col(Rating.evaluable_id))
        .join(CaseCopy, col(CaseCopy.case_id) == col(Evaluable.case_id))
        .join(Rectification, col(Rectification.evaluable_id) == col(Evaluable.id), isouter=True)
    )


async def insert_rating(session: AsyncSession, rating: NewRating) -> None:
    """Write a rating."""
    own = {f.name: getattr(rating, f.name) for f in fields(rating) if f.name != "facts"}
    await session.execute(insert(Rating).values(**own, **rating.facts.rating_fields()))


async def find(session: AsyncSession, rating_id: UUID) -> Any | None:
    """One rating with its case's facts."""
    return (await session.execute(_select().where(col(Rating.id) == rating_id))).one_or_none()


async def change(session: AsyncSession, rating_id: UUID, values: Mapping[str, Any]) -> None:
    """Change a rating whose service is locked."""
    await session.execute(update(Rating).where(col(Rating.id) == rating_id).values(**values))


async def append_revision(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Keep what a rating was; numbers follow each other under the lock of the service."""
    number = (
        select(func.coalesce(func.max(col(RatingRevision.number)), 0) + 1)
        .where(col(RatingRevision.rating_id) == values["rating_id"])
        .scalar_subquery()
    )
    await session.execute(insert(RatingRevision).values(number=number, **values))


async def list_revisions(session: AsyncSession, rating_id: UUID) -> Sequence[Any]:
    """What became of a rating, oldest first."""
    table = RatingRevision.__table__  # type: ignore[attr-defined]
    query = (
        select(table)
        .where(col(RatingRevision.rating_id) == rating_id)
        .order_by(col(RatingRevision.number))
    )
    return (await session.execute(query)).all()


async def list_in_scope(
    session: AsyncSession,
    scope: Scope,
    *,
    level: RatingLevel | None,
    unit_code: str | None,
    state: RatingState | None,
    before: int | None,
    limit: int,
    given: tuple[date, date] | None = None,
) -> Sequence[Any]:
    """Ratings of a unit or a division, newest first."""
    query = _select().order_by(col(Rating.position).desc()).limit(limit)
    if scope.unit_code is not None:
        query = query.where(col(Rating.unit_code) == scope.unit_code)
    if scope.division_prefix is not None:
        query = query.where(
            col(Rating.responsible_division).startswith(scope.division_prefix, autoescape=True)
        )
    if level is not None:
        query = query.where(col(Rating.level) == level.value)
    if given is not None:
        query = query.where(col(Rating.given_on).between(*given))
    if state is not None:
        query = query.where(col(Rating.state) == state.value)
    if unit_code is not None:
        query = query.where(col(Rating.unit_code) == unit_code)
    if before is not None:
        query = query.where(col(Rating.position) < before)
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows
