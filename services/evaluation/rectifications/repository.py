"""Queries of rectifications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, literal_column, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.evaluation.access import Scope
from services.evaluation.facts import FACTS_COLUMNS, EvaluableFacts
from services.evaluation.models import (
    CaseCopy,
    DataAccess,
    Evaluable,
    Outcome,
    Rating,
    Rectification,
    RectificationState,
    RectificationStep,
)
from services.evaluation.rectifications.rules import LIMITED, Light


@dataclass(frozen=True, slots=True)
class Matter:
    """A rectification with the facts of what was rated."""

    facts: EvaluableFacts
    id: UUID
    rating_id: UUID
    responsible_division: str
    state: str
    version: int
    due_on: date | None
    branch: str | None
    fix_by: date | None
    reply: str | None
    replied_at: datetime | None
    replied_by: UUID | None
    rerate_until: date | None
    missed_call_days: int
    last_missed_on: date | None
    times_reopened: int
    solved: bool | None
    closed_at: datetime | None
    outcome: str | None
    warn_on: date | None
    times_extended: int
    escalated_at: datetime | None
    called_back_at: datetime | None
    call_back_due_on: date | None
    is_disputed: bool

    @classmethod
    def of(cls, row: Any) -> "Matter":
        own = {f.name: getattr(row, f.name) for f in fields(cls) if f.name != "facts"}
        return cls(facts=EvaluableFacts.of(row), **own)


_MOST_DISCLOSURES = 100
#: Written out, not bound: a parameter would hide the partial indexes from a generic plan.
_NOT_CLOSED = col(Rectification.state) != literal_column("'closed'")
_OWN = ", ".join(f"x.{field.name}" for field in fields(Matter) if field.name != "facts")
_SELECT = (
    f"SELECT {FACTS_COLUMNS}, {_OWN} FROM rectification x "  # noqa: S608 - names come from code
    "JOIN evaluable e ON e.id = x.evaluable_id JOIN case_copy c USING (case_id) "
)
_FIND = text(f"{_SELECT} WHERE x.id = :id")
_LOCK = text(f"{_SELECT} WHERE x.id = :id FOR UPDATE OF x")
_LOCK_FOR_EVALUABLE = text(f"{_SELECT} WHERE x.evaluable_id = :id FOR UPDATE OF x")


async def _one(session: AsyncSession, statement: Any, value: UUID) -> Matter | None:
    row = (await session.execute(statement, {"id": value})).one_or_none()
    return Matter.of(row) if row else None


async def find(session: AsyncSession, matter_id: UUID) -> Matter | None:
    """One rectification."""
    return await _one(session, _FIND, matter_id)


async def lock(session: AsyncSession, matter_id: UUID) -> Matter | None:
    """One rectification, locked until the commit."""
    return await _one(session, _LOCK, matter_id)


async def lock_for_evaluable(session: AsyncSession, evaluable_id: UUID) -> Matter | None:
    """The rectification of an evaluable service, locked until the commit."""
    return await _one(session, _LOCK_FOR_EVALUABLE, evaluable_id)


async def insert_matter(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Write a new rectification."""
    await session.execute(insert(Rectification).values(**values))


async def change(session: AsyncSession, matter_id: UUID, values: Mapping[str, Any]) -> None:
    """Change a locked rectification."""
    await session.execute(
        update(Rectification).where(col(Rectification.id) == matter_id).values(**values)
    )


async def append_step(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Append to the history."""
    await session.execute(insert(RectificationStep).values(**values))


async def list_steps(session: AsyncSession, matter_id: UUID) -> Sequence[Any]:
    """The history, oldest first."""
    table = RectificationStep.__table__  # type: ignore[attr-defined]
    query = (
        select(table)
        .where(col(RectificationStep.rectification_id) == matter_id)
        .order_by(col(RectificationStep.version))
    )
    return (await session.execute(query)).all()


async def list_ratings(session: AsyncSession, evaluable_id: UUID) -> Sequence[Any]:
    """The ratings a rectification is about: the first, and the 追评."""
    query = (
        select(
            col(Rating.id),
            col(Rating.assess_number),
            col(Rating.level),
            col(Rating.tags),
            col(Rating.text),
            col(Rating.given_on),
        )
        .where(col(Rating.evaluable_id) == evaluable_id)
        .order_by(col(Rating.assess_number))
    )
    return (await session.execute(query)).all()


async def list_in_scope(
    session: AsyncSession,
    scope: Scope,
    *,
    state: RectificationState | None,
    light: Light | None,
    today: date,
    escalated: bool,
    after: tuple[date, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Rectifications of a unit or a division by due date; without a state all that are not closed."""
    due = col(Rectification.due_key)
    query = (
        select(
            col(Rectification.id),
            col(Rectification.state),
            col(Rectification.due_on),
            col(Rectification.warn_on),
            col(Rectification.is_disputed),
            col(Rectification.escalated_at),
            due,
            col(Rectification.branch),
            col(Rectification.times_reopened),
            col(Rectification.unit_code),
            col(Rectification.unit_name),
            col(Rating.level),
            col(CaseCopy.item_name),
            col(Evaluable.service_number),
        )
        .join(Rating, col(Rating.id) == col(Rectification.rating_id))
        .join(Evaluable, col(Evaluable.id) == col(Rectification.evaluable_id))
        .join(CaseCopy, col(CaseCopy.case_id) == col(Evaluable.case_id))
        .order_by(due, col(Rectification.id))
        .limit(limit)
    )
    if scope.unit_code is not None:
        query = query.where(col(Rectification.unit_code) == scope.unit_code)
    if scope.division_prefix is not None:
        query = query.where(
            col(Rectification.responsible_division).startswith(
                scope.division_prefix, autoescape=True
            )
        )
    if state is None:
        query = query.where(_NOT_CLOSED)
    else:
        query = query.where(col(Rectification.state) == state.value)
    if light is not None:
        query = query.where(*_lit(light, today))
    if escalated:
        query = query.where(col(Rectification.escalated_at).is_not(None))
    if after is not None:
        day, matter_id = after
        query = query.where((due > day) | ((due == day) & (col(Rectification.id) > matter_id)))
    return (await session.execute(query)).all()


def _lit(light: Light, today: date) -> list[Any]:
    due, warn = col(Rectification.due_on), col(Rectification.warn_on)
    running = [
        col(Rectification.state).in_([state.value for state in LIMITED]),
        ~col(Rectification.is_disputed),
        due.is_not(None),
    ]
    if light is Light.red:
        return [*running, due < today]
    is_near = warn.is_not(None) & (warn <= today)
    return [*running, due >= today, is_near if light is Light.yellow else ~is_near]


async def list_disclosures(
    session: AsyncSession, applicant_id: UUID, record_name: str
) -> Sequence[Any]:
    """Who was told which case a matter is about, newest first."""
    query = (
        select(
            col(DataAccess.viewer_name),
            col(DataAccess.viewer_unit),
            col(DataAccess.fields),
            col(DataAccess.reason),
            col(DataAccess.seen_at),
        )
        .where(col(DataAccess.subject_id) == applicant_id, col(DataAccess.record) == record_name)
        .order_by(col(DataAccess.id).desc())
        .limit(_MOST_DISCLOSURES)
    )
    return (await session.execute(query)).all()


async def measure_call_backs(
    session: AsyncSession, scope: Scope, *, first: datetime, end: datetime, today: date
) -> Sequence[Any]:
    """Replies of a period by unit, and what became of calling the residents back."""
    called = (
        col(Rectification.called_back_at).is_not(None)
        | (col(Rectification.missed_call_days) > 0)
        | (col(Rectification.outcome) == Outcome.unreached.value)
    )
    late = ~called & (col(Rectification.call_back_due_on) < today)
    unit = (col(Rectification.unit_code), col(Rectification.unit_name))
    query = (
        select(
            *unit,
            func.count().label("replied"),
            func.count().filter(called).label("called"),
            func.count().filter(col(Rectification.called_back_at).is_not(None)).label("reached"),
            func.count().filter(col(Rectification.solved).is_(True)).label("solved"),
            func.count().filter(late).label("late"),
        )
        .where(col(Rectification.replied_at) >= first, col(Rectification.replied_at) < end)
        .group_by(*unit)
        .order_by((func.count() - func.count().filter(called)).desc(), unit[0])
    )
    if scope.unit_code is not None:
        query = query.where(col(Rectification.unit_code) == scope.unit_code)
    if scope.division_prefix is not None:
        query = query.where(
            col(Rectification.responsible_division).startswith(
                scope.division_prefix, autoescape=True
            )
        )
    return (await session.execute(query)).all()


async def list_without_due_date(session: AsyncSession) -> Sequence[Any]:
    """Open rectifications whose calendar year was missing, locked until the commit."""
    query = (
        select(
            col(Rectification.id),
            col(Rectification.evaluable_id),
            col(Rectification.limit_from),
            col(Rectification.limit_days),
            col(Rectification.responsible_division),
        )
        .where(col(Rectification.due_on).is_(None), _NOT_CLOSED)
        .with_for_update()
    )
    return (await session.execute(query)).all()
