"""How scores follow what they count: services are touched, and settled once before the commit.

Whoever changes a rating, a rectification or a case says which service it was about. At the end of
the transaction each touched service is compared with what the scores hold of it, and the difference
goes into the roll-ups. Everything is locked last and in one order, whatever the transaction did
before, so that two of them never wait for each other in a circle.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import ScoreChanged
from servicekit.database import before_commit, to_json
from servicekit.outbox import now, record
from services.evaluation.models import SubjectKind
from services.evaluation.scores.counting import (
    COUNTS,
    HELD,
    OPENED,
    OUTCOMES,
    RATINGS,
    SUBJECTS,
    TABLES,
    by_day,
    truth,
)
from services.evaluation.scores.repository import tally_of
from services.evaluation.scores.rules import Grain

_TOUCHED = "scores.touched"
_COUNTS, _RATINGS = frozenset(COUNTS), frozenset(RATINGS)
#: Other services keep the scores of these.
TOLD = frozenset({SubjectKind.item, SubjectKind.unit})

_OPEN = text(
    f"INSERT INTO score_fact (evaluable_id, {', '.join(SUBJECTS)}) {OPENED} "
    "WHERE e.id = ANY(:ids) ORDER BY e.id ON CONFLICT (evaluable_id) DO NOTHING"
)
_LOCK = text(
    "SELECT FROM score_fact WHERE evaluable_id = ANY(:ids) ORDER BY evaluable_id FOR UPDATE"
)
_OLD = ", ".join(f"f.{name}" for name in HELD)
_NEW = ", ".join(f"t.{name}" for name in HELD)
_FACT = ", ".join((*SUBJECTS, *OUTCOMES))
#: A statement of its own after the lock: it sees what others committed while it was waited for.
_SETTLE = text(
    f"WITH truth AS ({truth('e.id = ANY(:ids)')}), "  # noqa: S608
    "old AS (SELECT * FROM score_fact WHERE evaluable_id = ANY(:ids)), "
    f"changed AS (UPDATE score_fact f SET ({', '.join(HELD)}) = ({_NEW}) FROM truth t "
    f"WHERE t.evaluable_id = f.evaluable_id AND ({_OLD}) IS DISTINCT FROM ({_NEW}) RETURNING f.*), "
    f"signed AS (SELECT 1 AS sign, {_FACT} FROM changed UNION ALL "
    f"SELECT -1, {_FACT} FROM old WHERE evaluable_id IN (SELECT evaluable_id FROM changed)) "
    + by_day("SELECT * FROM signed")
)
_TYPES = ", ".join(
    (
        "subject_kind text",
        "subject_id text",
        "subject_name text",
        "division_code text",
        "day date",
        *(f"{name} int" for name in COUNTS),
    )
)
_NAMES = ", ".join(COUNTS)
_SUMS = ", ".join(f"{name} = s.{name} + excluded.{name}" for name in COUNTS)
_VALUES = ", ".join(f"coalesce({name}, 0)" for name in COUNTS)
_GIVEN = f"FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r ({_TYPES})"
_ADD = {
    grain: text(
        f"INSERT INTO {TABLES[grain]} AS s (subject_kind, subject_id, day, {_NAMES}) "
        f"SELECT subject_kind, subject_id, day, {_VALUES} {_GIVEN} "
        "ORDER BY subject_kind, subject_id, day "
        f"ON CONFLICT (subject_kind, subject_id, day) DO UPDATE SET {_SUMS}"
    )
    for grain in (Grain.day, Grain.month, Grain.year)
}
_ADD_ALL = text(
    "INSERT INTO score AS s (subject_kind, subject_id, subject_name, division_code, revision, "
    f"changed_at, {_NAMES}) SELECT subject_kind, subject_id, subject_name, division_code, 1, "
    f":changed_at, {_VALUES} {_GIVEN} ORDER BY subject_kind, subject_id "
    "ON CONFLICT (subject_kind, subject_id) DO UPDATE SET "
    "subject_name = coalesce(excluded.subject_name, s.subject_name), revision = s.revision + 1, "
    f"changed_at = excluded.changed_at, {_SUMS} RETURNING *"
)


def touch(session: AsyncSession, evaluable_id: UUID) -> None:
    """Note that something that may count of this service has changed in this transaction."""
    touched: set[UUID] = session.info.setdefault(_TOUCHED, set())
    touched.add(evaluable_id)
    before_commit(session, _TOUCHED, _settle_touched)


async def _settle_touched(session: AsyncSession) -> None:
    ids = sorted(session.info.pop(_TOUCHED))
    await settle(session, ids)


async def settle(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Bring what has changed of these services into the scores, and tell new states.

    Concurrency: holds the facts of the services and the rows of their subjects until the commit.
    """
    await session.execute(_OPEN, {"ids": list(ids)})
    await session.execute(_LOCK, {"ids": list(ids)})
    rows = await session.execute(_SETTLE, {"ids": list(ids)})
    # Most counts are zero: they are left out, here and in what is written.
    found = ({name: value for name, value in row._mapping.items() if value} for row in rows)
    changes = [change for change in found if not _COUNTS.isdisjoint(change)]
    if not changes:
        return
    for grain, statement in _ADD.items():
        rolled_up = changes if grain is Grain.day else _rolled_up(changes, grain)
        await session.execute(statement, {"rows": to_json(rolled_up)})
    whole = _rolled_up(changes, Grain.all)
    scores = await session.execute(_ADD_ALL, {"rows": to_json(whole), "changed_at": now()})
    rated = {
        (row["subject_kind"], row["subject_id"])
        for row in whole
        if row["subject_kind"] in TOLD and not _RATINGS.isdisjoint(row)
    }
    told = [row for row in scores if (row.subject_kind, row.subject_id) in rated]
    await record(session, *(score_event(row) for row in told))


def _rolled_up(changes: Sequence[dict[str, Any]], grain: Grain) -> list[dict[str, Any]]:
    """Changes of days added up by longer periods; what comes to nothing is left out."""
    sums: dict[tuple[str, str, date], dict[str, Any]] = {}
    for change in changes:
        day = grain.first_day(change["day"])
        key = (change["subject_kind"], change["subject_id"], day)
        there = sums.get(key)
        if there is None:
            sums[key] = {**change, "day": day}
            continue
        for name in _COUNTS & change.keys():
            there[name] = there.get(name, 0) + change[name]
    rows = ({name: value for name, value in row.items() if value} for row in sums.values())
    return [row for row in rows if not _COUNTS.isdisjoint(row)]


def score_event(row: Any) -> ScoreChanged:
    """The state of a score as other services are told it."""
    tally = tally_of(row)
    recorded_at: datetime = row.changed_at
    return ScoreChanged(
        subject_key=f"{row.subject_kind}:{row.subject_id}",
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        revision=row.revision,
        counts=tally.current,
        rated=tally.rated,
        satisfaction_ratio=tally.satisfaction_ratio,
        average_stars=tally.average_stars,
        first_counts=tally.first,
        default_count=tally.default,
        recorded_at=recorded_at,
    )
