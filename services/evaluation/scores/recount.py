"""The recount: scores worked out anew from the ratings, and what differs put right.

The roll-ups are kept rating by rating; this is the check that nothing was ever lost or doubled.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import RatingLevel
from services.evaluation.scores.repository import COUNTS, CURRENT, FIRST


def _count(name: str, condition: str) -> str:
    return f"count(*) FILTER (WHERE {condition})::int AS {name}"


def _counted(level_column: str, names: dict[RatingLevel, str]) -> list[str]:
    return [
        _count(name, f"origin = 'resident' AND {level_column} = '{level.value}'")
        for level, name in names.items()
    ]


_COUNTED = ", ".join(
    [
        *_counted("current_level", CURRENT),
        *_counted("first_level", FIRST),
        _count("default_count", "origin = 'default'"),
    ]
)
#: One row per evaluable service and subject it counts for.
_RATED = (
    "SELECT subject.kind AS subject_kind, subject.id AS subject_id, one.given_on AS day, "
    "one.origin, CASE WHEN one.state = 'counted' THEN one.level END AS first_level, "
    "coalesce(two.level, CASE WHEN one.state = 'counted' THEN one.level END) AS current_level "
    "FROM rating one LEFT JOIN rating two "
    "ON two.evaluable_id = one.evaluable_id AND two.assess_number = 2 AND two.state = 'counted' "
    "CROSS JOIN LATERAL (VALUES ('item', one.item_id::text), ('unit', one.unit_code)) "
    "AS subject (kind, id) WHERE one.assess_number = 1 AND subject.id IS NOT NULL"
)
_BY_DAY = (
    f"SELECT subject_kind, subject_id, day, {_COUNTED} FROM ({_RATED}) rated "  # noqa: S608
    "GROUP BY subject_kind, subject_id, day"
)
_TOTALS = (
    f"SELECT subject_kind, subject_id, {_COUNTED} FROM ({_RATED}) rated "  # noqa: S608
    "GROUP BY subject_kind, subject_id"
)


def _differ(one: str, other: str) -> str:
    return " OR ".join(
        f"coalesce({one}.{name}, 0) <> coalesce({other}.{name}, 0)" for name in COUNTS
    )


_DIFFERING = text(
    f"WITH by_day AS ({_BY_DAY}), totals AS ({_TOTALS}) "  # noqa: S608
    "SELECT subject_kind, subject_id FROM totals FULL JOIN score USING (subject_kind, subject_id) "
    f"WHERE {_differ('totals', 'score')} UNION "
    "SELECT subject_kind, subject_id FROM by_day "
    "FULL JOIN score_day USING (subject_kind, subject_id, day) "
    f"WHERE {_differ('by_day', 'score_day')} ORDER BY 1, 2"
)
_LOCK = text("LOCK TABLE rating IN SHARE MODE")
_CLEAR_DAYS = text("DELETE FROM score_day WHERE subject_kind = :kind AND subject_id = :id")
_WRITE_DAYS = text(
    f"INSERT INTO score_day (subject_kind, subject_id, day, {', '.join(COUNTS)}) "  # noqa: S608
    f"SELECT subject_kind, subject_id, day, {', '.join(COUNTS)} FROM ({_BY_DAY}) days "
    "WHERE subject_kind = :kind AND subject_id = :id"
)
_SETS = ", ".join(f"{name} = coalesce(totals.{name}, 0)" for name in COUNTS)
_WRITE_TOTALS = text(
    f"WITH totals AS (SELECT * FROM ({_TOTALS}) t WHERE subject_kind = :kind AND subject_id = :id) "  # noqa: S608
    "UPDATE score SET revision = revision + 1, changed_at = :changed_at, "
    f"{_SETS} FROM (SELECT 1) one LEFT JOIN totals ON true "
    "WHERE score.subject_kind = :kind AND score.subject_id = :id RETURNING score.*"
)
_ENSURE = text(
    "INSERT INTO score (subject_kind, subject_id, revision, changed_at, division_code) VALUES "
    "(:kind, :id, 0, :changed_at, :division_code) ON CONFLICT DO NOTHING"
)


async def hold_ratings(session: AsyncSession) -> None:
    """Keep ratings as they are until the commit; who gives one meanwhile waits."""
    await session.execute(_LOCK)


async def differing(session: AsyncSession) -> Sequence[Any]:
    """Subjects whose roll-ups are not what their ratings add up to: kind and id."""
    return (await session.execute(_DIFFERING)).all()


async def rewrite(session: AsyncSession, kind: str, subject_id: str, changed_at: datetime) -> Any:
    """Write a subject's roll-ups anew from its ratings; return the score."""
    key = {"kind": kind, "id": subject_id}
    division_code = subject_id.partition(":")[0] if kind == "unit" else None
    await session.execute(
        _ENSURE, {**key, "changed_at": changed_at, "division_code": division_code}
    )
    await session.execute(_CLEAR_DAYS, key)
    await session.execute(_WRITE_DAYS, key)
    return (await session.execute(_WRITE_TOTALS, {**key, "changed_at": changed_at})).one()
