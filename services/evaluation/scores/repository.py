"""Queries of scores: upserts that add, and the recount they must always equal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import RatingLevel
from services.evaluation.models import Score, ScoreDay, SubjectKind
from services.evaluation.scores.rules import Change, Tally


def _column(group: str, level: RatingLevel) -> str:
    return f"{group}_{level.value.replace('-', '_')}"


CURRENT = {level: _column("current", level) for level in RatingLevel}
FIRST = {level: _column("first", level) for level in RatingLevel}
COUNTS = (*CURRENT.values(), *FIRST.values(), "default_count")

_NAMES = ", ".join(COUNTS)
_VALUES = ", ".join(f":{name}" for name in COUNTS)
_SUMS = ", ".join(f"{name} = s.{name} + excluded.{name}" for name in COUNTS)
_ADD = text(
    f"INSERT INTO score AS s (subject_kind, subject_id, subject_name, division_code, revision, "  # noqa: S608
    f"changed_at, {_NAMES}) VALUES (:subject_kind, :subject_id, :subject_name, :division_code, 1, "
    f":changed_at, {_VALUES}) ON CONFLICT (subject_kind, subject_id) DO UPDATE SET "
    "subject_name = coalesce(excluded.subject_name, s.subject_name), revision = s.revision + 1, "
    f"changed_at = excluded.changed_at, {_SUMS} RETURNING *"
)
_ADD_DAY = text(
    f"INSERT INTO score_day AS s (subject_kind, subject_id, day, {_NAMES}) "  # noqa: S608
    f"VALUES (:subject_kind, :subject_id, :day, {_VALUES}) "
    f"ON CONFLICT (subject_kind, subject_id, day) DO UPDATE SET {_SUMS}"
)


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """What a score is of; sorted, so that every writer locks rows in one order."""

    kind: SubjectKind
    id: str


def tally_of(row: Any) -> Tally:
    """Read the counts out of a row of either roll-up."""
    return Tally(
        {level: getattr(row, name) for level, name in CURRENT.items()},
        {level: getattr(row, name) for level, name in FIRST.items()},
        row.default_count,
    )


def _values(change: Change) -> dict[str, int]:
    return {
        **{name: change.current.get(level, 0) for level, name in CURRENT.items()},
        **{name: change.first.get(level, 0) for level, name in FIRST.items()},
        "default_count": change.default,
    }


async def add(
    session: AsyncSession,
    subject: Subject,
    change: Change,
    *,
    name: str | None,
    division_code: str | None,
    changed_at: datetime,
) -> Any:
    """Add a change to both roll-ups of a subject; return the whole score.

    Concurrency: holds the score's row until the commit, so revisions and their events keep order.
    """
    key = {"subject_kind": subject.kind.value, "subject_id": subject.id}
    values = key | _values(change)
    row = await session.execute(
        _ADD,
        values | {"subject_name": name, "division_code": division_code, "changed_at": changed_at},
    )
    await session.execute(_ADD_DAY, values | {"day": change.day})
    return row.one()


async def find(session: AsyncSession, subject: Subject) -> Any | None:
    """One score."""
    table = Score.__table__  # type: ignore[attr-defined]
    query = select(table).where(
        col(Score.subject_kind) == subject.kind.value, col(Score.subject_id) == subject.id
    )
    return (await session.execute(query)).one_or_none()


async def list_days(
    session: AsyncSession, subject: Subject, first: date, last: date
) -> Sequence[Any]:
    """Days on which a subject was rated, in order."""
    table = ScoreDay.__table__  # type: ignore[attr-defined]
    query = (
        select(table)
        .where(
            col(ScoreDay.subject_kind) == subject.kind.value,
            col(ScoreDay.subject_id) == subject.id,
            col(ScoreDay.day).between(first, last),
        )
        .order_by(col(ScoreDay.day))
    )
    return (await session.execute(query)).all()


async def rank(
    session: AsyncSession,
    kind: SubjectKind,
    *,
    division_prefix: str | None,
    after: tuple[float, str] | None,
    limit: int,
) -> Sequence[Any]:
    """Rated subjects, best first by the lower bound of their 好评率."""
    floor = col(Score.satisfaction_floor)
    query = (
        select(Score.__table__)  # type: ignore[attr-defined]
        .where(col(Score.subject_kind) == kind.value, floor.is_not(None))
        .order_by(floor.desc(), col(Score.subject_id))
        .limit(limit)
    )
    if division_prefix is not None:
        query = query.where(col(Score.division_code).startswith(division_prefix, autoescape=True))
    if after is not None:
        value, subject_id = after
        query = query.where(
            (floor < value) | ((floor == value) & (col(Score.subject_id) > subject_id))
        )
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows
