"""Queries that read the roll-ups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import SIGNIFICANT_DIGITS, DivisionLevel
from services.evaluation.models import SubjectKind
from services.evaluation.scores.counting import COUNTS, CURRENT, FIRST, TABLES
from services.evaluation.scores.rules import Grain, Tally


@dataclass(frozen=True, slots=True)
class Subject:
    """What a score is of."""

    kind: SubjectKind
    id: str


@dataclass(frozen=True, slots=True)
class Period:
    """A month, a year, or all time."""

    grain: Grain = Grain.all
    #: The first day of it; none for all time.
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Peers:
    """Whom a subject is compared with: those of a kind, of a level and in a division."""

    kind: SubjectKind
    level: DivisionLevel | None = None
    division_prefix: str | None = None


_PLAIN = [name for name in COUNTS if name not in {*CURRENT.values(), *FIRST.values()}]
_NAMES = ", ".join(f"s.{name}" for name in COUNTS)
_FIND = text("SELECT * FROM score WHERE subject_kind = :kind AND subject_id = :id")
_SERIES = {
    grain: text(
        f"SELECT * FROM {TABLES[grain]} WHERE subject_kind = :kind AND subject_id = :id "  # noqa: S608
        "AND day BETWEEN :first AND :last ORDER BY day"
    )
    for grain in (Grain.day, Grain.month, Grain.year)
}
_NAMED_BY_DIVISION = frozenset({SubjectKind.division, SubjectKind.unit, SubjectKind.window})
_WHOLE = "score.subject_name, score.division_code, score.revision, score.changed_at"


def _rows(grain: Grain) -> str:
    if grain is Grain.all:
        return "FROM score s JOIN score USING (subject_kind, subject_id) WHERE true"
    return f"FROM {TABLES[grain]} s JOIN score USING (subject_kind, subject_id) WHERE s.day = :day"


def _level(level: DivisionLevel) -> str:
    """SQL that holds for divisions of a level: as many digits count, and not fewer."""
    digits = list(SIGNIFICANT_DIGITS.values())
    here = SIGNIFICANT_DIGITS[level]
    above = digits[digits.index(here) - 1] if here != digits[0] else None
    condition = (
        f"right(subject_id, {12 - here}) = repeat('0', {12 - here})" if here < 12 else "true"
    )
    if above:
        condition += f" AND right(subject_id, {12 - above}) <> repeat('0', {12 - above})"
    return condition


def tally_of(row: Any) -> Tally:
    """Read the counts out of a row of any roll-up."""
    return Tally(
        {level: getattr(row, name) for level, name in CURRENT.items()},
        {level: getattr(row, name) for level, name in FIRST.items()},
        row.default_count,
        **{name: getattr(row, name) for name in _PLAIN if name != "default_count"},
    )


async def find(session: AsyncSession, subject: Subject) -> Any | None:
    """One score over all time."""
    values = {"kind": subject.kind.value, "id": subject.id}
    return (await session.execute(_FIND, values)).one_or_none()


async def series(
    session: AsyncSession, subject: Subject, grain: Grain, first: date, last: date
) -> Sequence[Any]:
    """The periods in which something of a subject counts, in order."""
    values = {"kind": subject.kind.value, "id": subject.id, "first": first, "last": last}
    return (await session.execute(_SERIES[grain], values)).all()


def _among(peers: Peers, period: Period) -> tuple[str, dict[str, Any]]:
    condition = f"{_rows(period.grain)} AND subject_kind = :kind"
    values: dict[str, Any] = {"kind": peers.kind.value}
    if period.grain is not Grain.all:
        values["day"] = period.day
    if peers.level is not None:
        condition += f" AND {_level(peers.level)}"
    if peers.division_prefix is not None:
        # What bears its division in its id is found by the roll-up's own index.
        column = "subject_id" if peers.kind in _NAMED_BY_DIVISION else "score.division_code"
        condition += f" AND {column} LIKE :prefix"
        values["prefix"] = f"{peers.division_prefix}%"
    return condition, values


async def rank(
    session: AsyncSession,
    peers: Peers,
    period: Period,
    *,
    after: tuple[float, str] | None,
    limit: int,
) -> Sequence[Any]:
    """Rated subjects, best first by the lower bound of their 好评率."""
    among, values = _among(peers, period)
    values["limit"] = limit
    beyond = ""
    if after is not None:
        beyond = (
            "AND (s.satisfaction_floor < :floor "
            "OR (s.satisfaction_floor = :floor AND subject_id > :id)) "
        )
        values |= {"floor": after[0], "id": after[1]}
    query = (
        f"SELECT subject_kind, subject_id, {_WHOLE}, s.rated, s.satisfaction_floor, {_NAMES} {among} "
        f"AND s.satisfaction_floor IS NOT NULL {beyond}"
        "ORDER BY s.satisfaction_floor DESC, subject_id LIMIT :limit"
    )
    return (await session.execute(text(query), values)).all()


async def standing(
    session: AsyncSession, subject: Subject, peers: Peers, period: Period
) -> Any | None:
    """A subject's floor, and how many rated peers have less, the same, and any; None unrated."""
    among, values = _among(peers, period)
    query = (
        f"WITH peer AS (SELECT subject_id, s.satisfaction_floor AS floor {among} "  # noqa: S608
        "AND s.satisfaction_floor IS NOT NULL), own AS (SELECT floor FROM peer WHERE subject_id = :id) "
        "SELECT own.floor, count(*) FILTER (WHERE peer.floor < own.floor) AS below, "
        "count(*) FILTER (WHERE peer.floor = own.floor) AS equal, count(*) AS peers "
        "FROM own CROSS JOIN peer GROUP BY own.floor"
    )
    return (await session.execute(text(query), {**values, "id": subject.id})).one_or_none()


async def page_of_rows(
    session: AsyncSession,
    peers: Peers,
    grain: Grain,
    *,
    first: date,
    last: date,
    after: tuple[str, date] | None,
    limit: int,
) -> Sequence[Any]:
    """Roll-up rows of a kind and a time, by subject and day as their key has them, for exports."""
    subject_id, day = after or ("", date.min)
    among, values = _among(peers, Period())
    among = among.replace("FROM score s", f"FROM {TABLES[grain]} s", 1)
    query = (
        f"SELECT s.day, subject_kind, subject_id, {_WHOLE}, {_NAMES} {among} "
        "AND s.day BETWEEN :first AND :last AND (subject_id, s.day) > (:after_id, :after_day) "
        "ORDER BY subject_id, s.day LIMIT :limit"
    )
    values |= {"first": first, "last": last, "after_day": day, "after_id": subject_id}
    return (await session.execute(text(query), {**values, "limit": limit})).all()
