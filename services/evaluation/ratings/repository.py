"""Queries of ratings."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import RatingLevel
from services.evaluation.access import Scope
from services.evaluation.facts import EvaluableFacts
from services.evaluation.models import CaseCopy, Evaluable, Rating, Rectification

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
    col(Rating.item_id),
    col(Rating.unit_code),
    col(Rating.responsible_division),
    col(Evaluable.applicant_id),
    col(Evaluable.service_number),
    col(Evaluable.unit_name),
    col(CaseCopy.item_name),
    col(Rectification.id).label("rectification_id"),
    col(Rectification.due_on).label("rectification_due_on"),
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


async def list_in_scope(
    session: AsyncSession,
    scope: Scope,
    *,
    level: RatingLevel | None,
    unit_code: str | None,
    before: int | None,
    limit: int,
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
    if unit_code is not None:
        query = query.where(col(Rating.unit_code) == unit_code)
    if before is not None:
        query = query.where(col(Rating.position) < before)
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows
