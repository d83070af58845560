"""A list of any length loaded in one transaction: staged by COPY, checked and merged by SQL.

Memory is bounded by PostgreSQL's, whatever the length. Everything or nothing is loaded.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import SIGNIFICANT_DIGITS, division_prefix
from servicekit import outbox
from services.facilities.divisions import repository, service
from services.facilities.divisions.rules import DivisionRow, numbering_warnings

#: Told of by name; all are counted.
SHOWN_WARNINGS = 50
SHOWN_REFUSALS = 20
PROGRESS_ROWS = 50_000
#: Events of one statement.
EVENT_ROWS = 5_000
COPY_SECONDS = 600.0
_COLUMNS = ("code", "name", "level", "parent_code", "community_kind")

_STAGE = text(
    """
    CREATE TEMP TABLE staged_division
        (code text, name text, level text, parent_code text, community_kind text)
        ON COMMIT DROP
    """
)
#: Why a staged list cannot be loaded; the same reasons as `rules.refusals`.
_REFUSALS = text(
    """
    SELECT code, reason FROM (
        SELECT code, 'listed twice' AS reason
            FROM staged_division GROUP BY code HAVING count(*) > 1
        UNION ALL SELECT code, 'the code is not 12 digits' FROM staged_division
            WHERE code !~ '^[0-9]{12}$' OR code LIKE '00%'
        UNION ALL SELECT code, 'no name' FROM staged_division WHERE name = ''
        UNION ALL SELECT code, 'the level contradicts the code' FROM staged_division
            WHERE length(rtrim(code, '0')) > CASE level WHEN 'province' THEN 2 WHEN 'city' THEN 4
                WHEN 'county' THEN 6 WHEN 'township' THEN 9 ELSE 12 END
        UNION ALL SELECT code, 'only provinces stand without a parent' FROM staged_division
            WHERE (level = 'province') <> (parent_code IS NULL)
        UNION ALL SELECT code, 'does not lie below its parent ' || parent_code
            FROM staged_division
            WHERE parent_code = code OR NOT starts_with(code, CASE
                WHEN parent_code LIKE '__0000000000' THEN left(parent_code, 2)
                WHEN parent_code LIKE '____00000000' THEN left(parent_code, 4)
                WHEN parent_code LIKE '______000000' THEN left(parent_code, 6)
                ELSE left(parent_code, 9) END)
        UNION ALL SELECT staged.code, 'orphan: its parent ' || staged.parent_code || ' is unknown'
            FROM staged_division staged
            LEFT JOIN staged_division above ON above.code = staged.parent_code
            LEFT JOIN division known ON known.code = staged.parent_code
            WHERE staged.parent_code IS NOT NULL AND above.code IS NULL AND known.code IS NULL
    ) AS told ORDER BY code LIMIT :most
    """
)
_PROVINCES = text("SELECT DISTINCT left(code, 2) FROM staged_division ORDER BY 1")
#: Rows that are new or other than before, of one level and province.
_MERGE = text(
    """
    WITH changed AS (
        INSERT INTO division (code, name, level, parent_code, community_kind, source,
                              is_published, version, recorded_at)
        SELECT code, name, level, parent_code, community_kind, :source,
               code LIKE ANY(CAST(:served AS text[])), 1, CAST(:now AS timestamptz)
        FROM staged_division WHERE level = :level AND left(code, 2) = :province
        ON CONFLICT (code) DO UPDATE SET
            name = excluded.name, level = excluded.level, parent_code = excluded.parent_code,
            community_kind = excluded.community_kind, source = excluded.source,
            is_published = division.is_published OR excluded.is_published,
            version = division.version + 1, recorded_at = excluded.recorded_at
        WHERE (division.name, division.level, division.parent_code, division.community_kind,
               division.is_published)
            IS DISTINCT FROM
            (excluded.name, excluded.level, excluded.parent_code, excluded.community_kind,
             division.is_published OR excluded.is_published)
        RETURNING code, level
    ), subjects AS (
        INSERT INTO community (code, recorded_at)
        SELECT code, CAST(:now AS timestamptz) FROM changed WHERE level = 'community'
        ON CONFLICT DO NOTHING
    )
    SELECT count(*) FROM changed
    """
)


@dataclass
class BulkReport:
    """What loading a list did."""

    read: int = 0
    changed: int = 0
    published: int = 0
    unlisted: int = 0
    by_level: Counter[str] = field(default_factory=Counter)
    warnings: int = 0
    #: The first of them.
    shown_warnings: list[str] = field(default_factory=list)


Progress = Callable[[str], None]


async def load(
    session: AsyncSession,
    rows: Iterable[DivisionRow],
    *,
    source: str,
    serve: Sequence[str],
    progress: Progress,
) -> BulkReport:
    """Record a list of divisions; tell other services of those in the served subtrees.

    Divisions that the list does not name stay as they are, and are counted. What was published
    before stays published. `serve`: codes of subtrees; the divisions above them are told, too.

    Raises:
        DivisionsRefused: a row is malformed or has no parent; nothing was written.
    """
    report = BulkReport()
    await session.execute(_STAGE)
    connection = await (await session.connection()).get_raw_connection()
    assert connection.driver_connection is not None
    await connection.driver_connection.copy_records_to_table(
        "staged_division",
        records=_staged(rows, report, progress),
        columns=_COLUMNS,
        timeout=COPY_SECONDS,
    )
    await session.execute(text("CREATE INDEX ON staged_division (left(code, 2), level)"))
    await session.execute(text("CREATE INDEX ON staged_division (code)"))
    await session.execute(text("ANALYZE staged_division"))
    await _ensure_valid(session)
    now = outbox.now()
    patterns = _served(serve)
    for province in (await session.scalars(_PROVINCES)).all():
        for level in SIGNIFICANT_DIGITS:
            values = {
                "source": source,
                "served": patterns,
                "now": now,
                "level": level.value,
                "province": province,
            }
            report.changed += (await session.execute(_MERGE, values)).scalar_one()
        progress(f"{province}: {report.changed} divisions new or changed so far")
    report.unlisted = await repository.count_unlisted(session)
    report.published = await _publish(session, now, progress)
    return report


def _staged(
    rows: Iterable[DivisionRow], report: BulkReport, progress: Progress
) -> Iterator[tuple[str | None, ...]]:
    for row in rows:
        report.read += 1
        report.by_level[row.level] += 1
        for warning in numbering_warnings(row):
            report.warnings += 1
            if len(report.shown_warnings) < SHOWN_WARNINGS:
                report.shown_warnings.append(warning)
        if report.read % PROGRESS_ROWS == 0:
            progress(f"{report.read} rows read")
        yield (row.code, row.name, row.level, row.parent_code, row.community_kind)


async def _ensure_valid(session: AsyncSession) -> None:
    refused = (await session.execute(_REFUSALS, {"most": SHOWN_REFUSALS})).all()
    if refused:
        raise service.DivisionsRefused([f"{row.code}: {row.reason}" for row in refused])


def _served(serve: Sequence[str]) -> list[str]:
    """LIKE patterns of the subtrees that are served, and of the divisions above them."""
    patterns = []
    for code in serve:
        prefix = division_prefix(code)
        patterns.append(f"{prefix}%")
        patterns += [
            code[:digits].ljust(len(code), "0")
            for digits in SIGNIFICANT_DIGITS.values()
            if digits < len(prefix)
        ]
    return patterns


async def _publish(session: AsyncSession, now: datetime, progress: Progress) -> int:
    """Tell of everything published that was written just now, parents first."""
    published = 0
    async for rows in repository.published_since(session, now, size=EVENT_ROWS):
        await outbox.record(session, *(service.recorded(row) for row in rows))
        published += len(rows)
        progress(f"{published} divisions told to other services")
    return published
