"""The recount: scores worked out anew from ratings and rectifications, and what differs put right.

The roll-ups follow change by change; this is the check that nothing was ever lost or doubled.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.evaluation.scores.counting import (
    COUNTS,
    OPENED,
    OUTCOMES,
    SUBJECTS,
    TABLES,
    by_day,
    truth,
)
from services.evaluation.scores.rules import Grain

#: It sorts and sums everything at once; what a request has by default would go to disk many times.
_MEMORY = text("SET LOCAL work_mem = '128MB'")
_HOLD = text("LOCK TABLE score_fact IN EXCLUSIVE MODE")
_OPEN = text(
    f"INSERT INTO score_fact (evaluable_id, {', '.join(SUBJECTS)}) {OPENED} "
    "WHERE NOT EXISTS (SELECT FROM score_fact f WHERE f.evaluable_id = e.id)"
)
_OLD = ", ".join(f"f.{name}" for name in OUTCOMES)
_NEW = ", ".join(f"t.{name}" for name in OUTCOMES)
_CORRECT = text(
    f"UPDATE score_fact f SET ({', '.join(OUTCOMES)}) = ({_NEW}) FROM ({truth('true')}) t "  # noqa: S608
    f"WHERE t.evaluable_id = f.evaluable_id AND ({_OLD}) IS DISTINCT FROM ({_NEW})"
)
_FACTS = "SELECT 1 AS sign, * FROM score_fact"
_COUNT = text(f"CREATE TEMPORARY TABLE recounted ON COMMIT DROP AS {by_day(_FACTS)}")
_ANALYZE = text("ANALYZE recounted")
_NAMES = ", ".join(COUNTS)
_SUMMED = ", ".join(f"sum({name})::int AS {name}" for name in COUNTS)
_KEY = "subject_kind, subject_id, day"
_FIRST_DAY = {
    Grain.day: "day",
    Grain.month: "date_trunc('month', day)::date",
    Grain.year: "date_trunc('year', day)::date",
}


def _counted(grain: Grain) -> str:
    """The recounted rows of one roll-up."""
    if grain is Grain.all:
        return (
            "SELECT subject_kind, subject_id, max(subject_name) AS subject_name, "  # noqa: S608
            f"max(division_code) AS division_code, {_SUMMED} FROM recounted GROUP BY 1, 2"
        )
    first_day = _FIRST_DAY[grain]
    return (
        f"SELECT subject_kind, subject_id, {first_day} AS day, {_SUMMED} "  # noqa: S608
        "FROM recounted GROUP BY 1, 2, 3"
    )


def _differing(grain: Grain) -> str:
    key = "subject_kind, subject_id" if grain is Grain.all else _KEY
    differ = " OR ".join(f"coalesce(r.{n}, 0) <> coalesce(s.{n}, 0)" for n in COUNTS)
    return (
        f"SELECT subject_kind, subject_id FROM ({_counted(grain)}) r "  # noqa: S608
        f"FULL JOIN {TABLES[grain]} s USING ({key}) WHERE {differ}"
    )


_DIFFERING = text(" UNION ".join(_differing(grain) for grain in Grain) + " ORDER BY 1, 2")
_WRONG = (
    "(subject_kind, subject_id) IN "
    "(SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[])))"
)
_CLEAR = [
    text(f"DELETE FROM {TABLES[grain]} WHERE {_WRONG}")  # noqa: S608
    for grain in _FIRST_DAY
]
_WRITE = [
    text(
        f"INSERT INTO {TABLES[grain]} ({_KEY}, {_NAMES}) SELECT {_KEY}, {_NAMES} "  # noqa: S608
        f"FROM ({_counted(grain)}) r WHERE {_WRONG}"
    )
    for grain in _FIRST_DAY
]
_ZERO = text(
    f"UPDATE score SET {', '.join(f'{name} = 0' for name in COUNTS)}, revision = revision + 1, "  # noqa: S608
    f"changed_at = :changed_at WHERE {_WRONG} AND NOT EXISTS (SELECT FROM recounted r "
    "WHERE r.subject_kind = score.subject_kind AND r.subject_id = score.subject_id) RETURNING *"
)
_WRITE_ALL = text(
    "INSERT INTO score AS s (subject_kind, subject_id, subject_name, division_code, revision, "  # noqa: S608
    f"changed_at, {_NAMES}) SELECT subject_kind, subject_id, subject_name, division_code, 1, "
    f":changed_at, {_NAMES} FROM ({_counted(Grain.all)}) r WHERE {_WRONG} "
    "ON CONFLICT (subject_kind, subject_id) DO UPDATE SET revision = s.revision + 1, "
    "changed_at = excluded.changed_at, "
    + ", ".join(f"{name} = excluded.{name}" for name in COUNTS)
    + " RETURNING *"
)


async def count(session: AsyncSession) -> Sequence[Any]:
    """Count everything anew; return kind and id of the subjects whose roll-ups differ.

    Concurrency: until the commit whoever changes a score waits.
    """
    for statement in (_MEMORY, _HOLD, _OPEN, _CORRECT, _COUNT, _ANALYZE):
        await session.execute(statement)
    return (await session.execute(_DIFFERING)).all()


async def correct(
    session: AsyncSession, differing: Sequence[Any], changed_at: datetime
) -> list[Any]:
    """Write the roll-ups of these subjects anew, as counted by `count`; return the scores."""
    wrong = {"kinds": [row.subject_kind for row in differing]}
    wrong["ids"] = [row.subject_id for row in differing]
    for statement in (*_CLEAR, *_WRITE):
        await session.execute(statement, wrong)
    dated = {**wrong, "changed_at": changed_at}
    zeroed = (await session.execute(_ZERO, dated)).all()
    written = (await session.execute(_WRITE_ALL, dated)).all()
    return [*zeroed, *written]
