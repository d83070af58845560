"""The recount: scores worked out anew from ratings and rectifications, and what differs put right.

Each statement that compares sees one moment. Whatever is counted is committed together with its
roll-ups, so at any moment both are equal unless something went wrong; nobody waits for a comparison.

What differs is locked row by row and compared again by a statement of its own. Others add to these
rows: whoever has added is waited for and then seen, whoever will add waits and is not seen yet. One
kind of row is locked in a transaction, in the order of its key, so that nobody waits in a circle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import to_json
from services.evaluation.models import SubjectKind
from services.evaluation.scores.counting import (
    COUNTS,
    HELD,
    OPENED,
    SUBJECTS,
    TABLES,
    by_day,
    truth,
)
from services.evaluation.scores.rules import Grain

#: It sorts and sums more than a request does, and leaves the other processors to requests.
_LIMITS = text(
    "SELECT set_config('work_mem', '64MB', true), "
    "set_config('max_parallel_workers_per_gather', '0', true)"
)
_OLD = ", ".join(f"f.{name}" for name in HELD)
_NEW = ", ".join(f"t.{name}" for name in HELD)
_END = text(
    "SELECT count(*) AS services, max(id::text)::uuid AS last "
    "FROM (SELECT id FROM evaluable WHERE id > :after ORDER BY id LIMIT :limit) e"
)
_WRONG = text(
    f"SELECT t.evaluable_id FROM ({truth('e.id > :after AND e.id <= :last', one_by_one=True)}) t "  # noqa: S608
    "LEFT JOIN LATERAL (SELECT * FROM score_fact WHERE evaluable_id = t.evaluable_id OFFSET 0) f ON true "
    f"WHERE f.evaluable_id IS NULL OR ({_OLD}) IS DISTINCT FROM ({_NEW}) ORDER BY 1"
)
_OPEN = text(
    f"INSERT INTO score_fact (evaluable_id, {', '.join(SUBJECTS)}) {OPENED} "
    "WHERE e.id = ANY(:ids) ORDER BY e.id ON CONFLICT (evaluable_id) DO NOTHING"
)
_LOCK = text(
    "SELECT FROM score_fact WHERE evaluable_id = ANY(:ids) ORDER BY evaluable_id FOR UPDATE"
)
_CORRECT = text(
    f"UPDATE score_fact f SET ({', '.join(HELD)}) = ({_NEW}) "  # noqa: S608
    f"FROM ({truth('e.id = ANY(:ids)')}) t "
    f"WHERE t.evaluable_id = f.evaluable_id AND ({_OLD}) IS DISTINCT FROM ({_NEW})"
)
_DAYS = text(
    "SELECT min(least(opened_on, rated_on, matter_on)) AS first, "
    "max(greatest(opened_on, rated_on, matter_on)) AS last "
    "FROM score_fact WHERE evaluable_id > :after AND evaluable_id <= :last"
)
_DAYS_HELD = text("SELECT min(day) AS first, max(day) AS last FROM score_day")

_NAMES = ", ".join(COUNTS)
_SUMMED = ", ".join(f"sum({name})::int AS {name}" for name in COUNTS)
_DIFFER = " OR ".join(f"coalesce(r.{n}, 0) <> coalesce(s.{n}, 0)" for n in COUNTS)
_SPAN = "day BETWEEN CAST(:first AS date) AND CAST(:last AS date)"
_BELOW = {Grain.month: Grain.day, Grain.year: Grain.month, Grain.all: Grain.year}


def _recounted(grain: Grain) -> str:
    """The rows of a roll-up as what lies below it makes them."""
    if grain is Grain.day:
        return by_day("SELECT 1 AS sign, * FROM score_fact", _SPAN.replace("day", "{day}", 1))
    if grain is Grain.all:
        return (
            f"SELECT subject_kind, subject_id, {_SUMMED} FROM score_year "  # noqa: S608
            "WHERE subject_kind = :kind GROUP BY 1, 2"
        )
    return (
        f"SELECT subject_kind, subject_id, date_trunc('{grain}', day)::date AS day, {_SUMMED} "  # noqa: S608
        f"FROM {TABLES[_BELOW[grain]]} WHERE {_SPAN} GROUP BY 1, 2, 3"
    )


def _differing(grain: Grain) -> str:
    if grain is Grain.all:
        return (
            f"SELECT subject_kind, subject_id FROM ({_recounted(grain)}) r FULL JOIN "  # noqa: S608
            "(SELECT * FROM score WHERE subject_kind = :kind) s USING (subject_kind, subject_id) "
            f"WHERE {_DIFFER} ORDER BY 1, 2 LIMIT :limit"
        )
    # Names are known to the facts of the day alone, so it is the day that brings a lost subject back.
    lost = (
        "OR NOT EXISTS (SELECT FROM score w WHERE (w.subject_kind, w.subject_id) = "
        "(r.subject_kind, r.subject_id)) AND r.subject_id IS NOT NULL"
        if grain is Grain.day
        else ""
    )
    return (
        f"SELECT subject_kind, subject_id, day FROM ({_recounted(grain)}) r FULL JOIN "  # noqa: S608
        f"(SELECT * FROM {TABLES[grain]} WHERE {_SPAN}) s USING (subject_kind, subject_id, day) "
        f"WHERE {_DIFFER} {lost} ORDER BY 1, 2, 3 LIMIT :limit"
    )


def _key(grain: Grain) -> str:
    return "subject_kind, subject_id" if grain is Grain.all else "subject_kind, subject_id, day"


def _keys(grain: Grain) -> str:
    types = "" if grain is Grain.all else ", day date"
    return (
        f"jsonb_to_recordset(CAST(:keys AS jsonb)) AS k (subject_kind text, subject_id text{types})"
    )


def _write(grain: Grain) -> str:
    counts = ", ".join(f"{name} = coalesce(r.{name}, 0)" for name in COUNTS)
    told = ", revision = s.revision + 1, changed_at = :changed_at" if grain is Grain.all else ""
    same = " AND ".join(f"k.{name} = s.{name}" for name in _key(grain).split(", "))
    return (
        f"UPDATE {TABLES[grain]} s SET {counts}{told} FROM {_keys(grain)} "  # noqa: S608
        f"LEFT JOIN ({_recounted(grain)}) r USING ({_key(grain)}) WHERE {same} RETURNING s.*"
    )


_COMPARE = {grain: text(_differing(grain)) for grain in Grain}
_MAKE = {
    grain: text(
        f"INSERT INTO {TABLES[grain]} ({_key(grain)}) SELECT {_key(grain)} FROM {_keys(grain)} "  # noqa: S608
        f"ORDER BY {_key(grain)} ON CONFLICT DO NOTHING"
    )
    for grain in _BELOW.values()
}
_HOLD = {
    grain: text(
        f"SELECT FROM {TABLES[grain]} s JOIN {_keys(grain)} USING ({_key(grain)}) "
        f"ORDER BY {_key(grain)} FOR UPDATE OF s"
    )
    for grain in Grain
}
_WRITE = {grain: text(_write(grain)) for grain in Grain}
_BRING_BACK = text(
    "INSERT INTO score (subject_kind, subject_id, subject_name, division_code, revision, changed_at) "  # noqa: S608
    "SELECT subject_kind, subject_id, max(r.subject_name), max(r.division_code), 0, :changed_at "
    f"FROM {_keys(Grain.day)} JOIN ({_recounted(Grain.day)}) r USING ({_key(Grain.day)}) "
    "GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of a batch of services."""

    services: int
    corrected: int
    #: The last of them; None when there are none left.
    last: UUID | None
    first_day: date | None
    last_day: date | None


async def limit(session: AsyncSession) -> None:
    """What a recount may use of the database, for this transaction."""
    await session.execute(_LIMITS)


async def compare_services(session: AsyncSession, after: UUID, size: int) -> Compared:
    """Bring what the scores hold of the next services in line with what is known of them.

    The roll-ups are left as they are: their own comparison follows.

    Concurrency: holds the facts of those that differ until the commit.
    """
    end = (await session.execute(_END, {"after": after, "limit": size})).one()
    if end.last is None:
        return Compared(0, 0, None, None, None)
    span = {"after": after, "last": end.last}
    ids = list(await session.scalars(_WRONG, span))
    if ids:
        for statement in (_OPEN, _LOCK, _CORRECT):
            await session.execute(statement, {"ids": ids})
    days = (await session.execute(_DAYS, span)).one()
    return Compared(end.services, len(ids), end.last, days.first, days.last)


async def days_held(session: AsyncSession) -> tuple[date | None, date | None]:
    """The first and the last day of which counts are held."""
    row = (await session.execute(_DAYS_HELD)).one()
    return row.first, row.last


async def compare(
    session: AsyncSession,
    grain: Grain,
    *,
    first: date | None = None,
    last: date | None = None,
    kind: SubjectKind | None = None,
    limit: int,
) -> Sequence[Any]:
    """Keys of the rows of a roll-up that differ: of a time, or for all time of a kind of subject."""
    values = {"kind": kind} if grain is Grain.all else {"first": first, "last": last}
    return (await session.execute(_COMPARE[grain], {**values, "limit": limit})).all()


async def correct(
    session: AsyncSession,
    grain: Grain,
    differing: Sequence[Any],
    changed_at: datetime,
    *,
    first: date | None = None,
    last: date | None = None,
    kind: SubjectKind | None = None,
) -> Sequence[Any]:
    """Write rows of a roll-up as they should be; return them.

    Concurrency: holds the rows until the commit; whoever changes the same scores waits.
    """
    values: dict[str, Any] = {"keys": to_json([dict(row._mapping) for row in differing])}
    if grain is not Grain.all:
        await session.execute(_MAKE[grain], values)
    await session.execute(_HOLD[grain], values)
    values |= {"kind": kind, "changed_at": changed_at} if grain is Grain.all else {}
    values |= {} if grain is Grain.all else {"first": first, "last": last}
    written = (await session.execute(_WRITE[grain], values)).all()
    if grain is Grain.day:
        await session.execute(_BRING_BACK, {**values, "changed_at": changed_at})
    return written
