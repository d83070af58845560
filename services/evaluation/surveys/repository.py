"""Queries of surveys."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.evaluation.models import (
    Questionnaire,
    Survey,
    SurveyAnswer,
    SurveySample,
    SurveyStratum,
)

_NEWEST = text("SELECT * FROM questionnaire WHERE code = :code ORDER BY version DESC LIMIT 1")
_QUESTIONNAIRE = text("SELECT * FROM questionnaire WHERE id = :id")
_QUESTIONNAIRES = text(
    "SELECT * FROM questionnaire WHERE (CAST(:code AS text) IS NULL OR code = :code) "
    "AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit"
)
_SURVEY = "SELECT * FROM survey WHERE id = :id"
_FIND, _LOCK = text(_SURVEY), text(f"{_SURVEY} FOR UPDATE")
#: Answers do not wait for each other, only for who closes the survey.
_SHARE = text(f"{_SURVEY} FOR SHARE")
_SURVEYS = text(
    "SELECT * FROM survey WHERE division_code LIKE :prefix "
    "AND (CAST(:year AS int) IS NULL OR year = :year) "
    "AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit"
)
_SAMPLES = text(
    "SELECT * FROM survey_sample WHERE survey_id = :survey_id AND division_code = :division_code "
    "AND household_number > :after ORDER BY household_number LIMIT :limit"
)
_FIND_SAMPLE = text("SELECT * FROM survey_sample WHERE id = :id")
_LOCK_SAMPLE = text("SELECT * FROM survey_sample WHERE id = :id FOR UPDATE")
_LOCK_HOUSEHOLD = text(
    "SELECT * FROM survey_sample WHERE survey_id = :survey_id AND division_code = :division_code "
    "AND household_number = :household_number FOR UPDATE"
)
_PROGRESS = (
    "SELECT t.division_code, t.name, t.households, t.sampled, "
    "count(s.id) FILTER (WHERE s.state = 'answered') AS answered, "
    "count(s.id) FILTER (WHERE s.state = 'refused') AS refused, "
    "count(s.id) FILTER (WHERE s.state = 'unreached') AS unreached "
    "FROM survey_stratum t LEFT JOIN survey_sample s USING (survey_id, division_code) "
    "WHERE t.survey_id = :survey_id AND t.division_code LIKE :prefix "
)
_VILLAGES = text(
    f"{_PROGRESS} AND t.division_code > :after "
    "GROUP BY t.survey_id, t.division_code ORDER BY t.division_code LIMIT :limit"
)
_TOTALS = text(
    "SELECT count(*) AS villages, count(*) FILTER (WHERE answered > 0) AS covered, "  # noqa: S608
    "coalesce(sum(sampled), 0)::int AS sampled, coalesce(sum(answered), 0)::int AS answered "
    f"FROM ({_PROGRESS} GROUP BY t.survey_id, t.division_code) village"
)
_COVERED = text(
    "SELECT DISTINCT a.division_code FROM survey_answer a JOIN survey v ON v.id = a.survey_id "
    "WHERE v.year = :year AND a.division_code LIKE :prefix"
)
#: In one order, so that two draws never wait for each other in a circle.
_HOLD_COVERAGE = text(
    "INSERT INTO survey_coverage AS c (division_code, year, revision, changed_at) "
    "SELECT code, :year, 1, :changed_at FROM unnest(CAST(:codes AS text[])) code ORDER BY code "
    "ON CONFLICT (division_code, year) DO UPDATE SET revision = c.revision + 1, "
    "changed_at = excluded.changed_at"
)
#: A statement of its own after the lock: it sees what others committed while it was waited for.
_COUNT_COVERAGE = text(
    "WITH asked AS (SELECT t.division_code, t.survey_id, t.sampled FROM survey_stratum t "
    "JOIN survey v ON v.id = t.survey_id "
    "WHERE v.year = :year AND t.division_code = ANY(CAST(:codes AS text[]))), "
    "drawn AS (SELECT division_code, array_agg(survey_id ORDER BY survey_id) AS survey_ids, "
    "sum(sampled)::int AS sampled FROM asked GROUP BY division_code), "
    "settled AS (SELECT s.division_code, "
    "count(*) FILTER (WHERE s.state = 'answered')::int AS answered, "
    "count(*) FILTER (WHERE s.state = 'refused')::int AS refused, "
    "count(*) FILTER (WHERE s.state = 'unreached')::int AS unreached "
    "FROM asked JOIN survey_sample s USING (survey_id, division_code) GROUP BY s.division_code) "
    "UPDATE survey_coverage c SET survey_ids = d.survey_ids, sampled = d.sampled, "
    "answered = coalesce(e.answered, 0), refused = coalesce(e.refused, 0), "
    "unreached = coalesce(e.unreached, 0) FROM drawn d LEFT JOIN settled e USING (division_code) "
    "WHERE c.year = :year AND c.division_code = d.division_code RETURNING c.*"
)
_STRATA = text(
    "SELECT t.division_code, t.name, t.households, count(a.id) AS answered "
    "FROM survey_stratum t LEFT JOIN survey_answer a USING (survey_id, division_code) "
    "WHERE t.survey_id = :survey_id AND t.division_code LIKE :prefix "
    "GROUP BY t.survey_id, t.division_code ORDER BY t.division_code"
)
_NEWEST_CLOSED = text(
    "SELECT DISTINCT ON (t.division_code) t.division_code, t.survey_id, t.households, t.sampled "
    "FROM survey_stratum t JOIN survey v ON v.id = t.survey_id "
    "WHERE v.state = 'closed' AND t.sampled > 0 AND t.division_code LIKE :prefix "
    "AND (v.closed_at AT TIME ZONE 'Asia/Shanghai')::date >= :since "
    "AND (v.closed_at AT TIME ZONE 'Asia/Shanghai')::date < :until "
    "ORDER BY t.division_code, v.closed_at DESC, t.survey_id"
)
_CHOSEN = text(
    "SELECT a.division_code, given.key AS question, given.value AS option, count(*) AS n "
    "FROM survey_answer a CROSS JOIN LATERAL jsonb_each_text(a.answers) given "
    "WHERE a.survey_id = :survey_id AND a.division_code LIKE :prefix GROUP BY 1, 2, 3"
)
#: One statement for many households: a large survey has a hundred thousand.
_INSERT_SAMPLES = text(
    "INSERT INTO survey_sample (id, survey_id, division_code, household_number, state) "
    "SELECT gen_random_uuid(), :survey_id, :division_code, n, 'open' "
    "FROM unnest(CAST(:numbers AS int[])) n"
)


async def insert_questionnaire(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Write a version of a questionnaire."""
    await session.execute(insert(Questionnaire).values(**values))


async def newest(session: AsyncSession, code: str) -> Any | None:
    """The newest version of a questionnaire."""
    return (await session.execute(_NEWEST, {"code": code})).one_or_none()


async def questionnaire(session: AsyncSession, questionnaire_id: UUID) -> Any | None:
    """One version of a questionnaire."""
    return (await session.execute(_QUESTIONNAIRE, {"id": questionnaire_id})).one_or_none()


async def questionnaires(
    session: AsyncSession, code: str | None, *, before: UUID | None, limit: int
) -> Sequence[Any]:
    """Versions of questionnaires, newest first."""
    values = {"code": code, "before": before, "limit": limit}
    return (await session.execute(_QUESTIONNAIRES, values)).all()


async def insert_survey(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Write a survey."""
    await session.execute(insert(Survey).values(**values))


async def change_survey(session: AsyncSession, survey_id: UUID, values: Mapping[str, Any]) -> None:
    """Change a locked survey."""
    await session.execute(update(Survey).where(col(Survey.id) == survey_id).values(**values))


async def find(session: AsyncSession, survey_id: UUID) -> Any | None:
    """One survey."""
    return (await session.execute(_FIND, {"id": survey_id})).one_or_none()


async def lock(session: AsyncSession, survey_id: UUID) -> Any | None:
    """One survey, locked until the commit."""
    return (await session.execute(_LOCK, {"id": survey_id})).one_or_none()


async def share(session: AsyncSession, survey_id: UUID) -> Any | None:
    """One survey that nobody closes until the commit."""
    return (await session.execute(_SHARE, {"id": survey_id})).one_or_none()


async def surveys(
    session: AsyncSession, within: str, year: int | None, *, before: UUID | None, limit: int
) -> Sequence[Any]:
    """Surveys of a division, newest first."""
    prefix = f"{division_prefix(within)}%"
    values = {"prefix": prefix, "year": year, "before": before, "limit": limit}
    return (await session.execute(_SURVEYS, values)).all()


async def insert_strata(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the villages of a survey."""
    await session.execute(insert(SurveyStratum), list(rows))


async def insert_samples(
    session: AsyncSession, survey_id: UUID, division_code: str, numbers: Sequence[int]
) -> None:
    """Write the households drawn in a village."""
    values = {"survey_id": survey_id, "division_code": division_code, "numbers": list(numbers)}
    await session.execute(_INSERT_SAMPLES, values)


async def samples(
    session: AsyncSession, survey_id: UUID, division_code: str, *, after: int, limit: int
) -> Sequence[Any]:
    """Households drawn in a village, by number."""
    values = {"survey_id": survey_id, "division_code": division_code}
    return (await session.execute(_SAMPLES, {**values, "after": after, "limit": limit})).all()


async def find_sample(session: AsyncSession, sample_id: UUID) -> Any | None:
    """A household drawn."""
    return (await session.execute(_FIND_SAMPLE, {"id": sample_id})).one_or_none()


async def lock_sample(session: AsyncSession, sample_id: UUID) -> Any | None:
    """A household drawn, locked until the commit."""
    return (await session.execute(_LOCK_SAMPLE, {"id": sample_id})).one_or_none()


async def lock_household(
    session: AsyncSession, survey_id: UUID, division_code: str, household_number: int
) -> Any | None:
    """The same by village and number."""
    values = {
        "survey_id": survey_id,
        "division_code": division_code,
        "household_number": household_number,
    }
    return (await session.execute(_LOCK_HOUSEHOLD, values)).one_or_none()


async def settle_sample(
    session: AsyncSession, sample_id: UUID, state: str, settled_on: date
) -> None:
    """Note what became of a locked household."""
    await session.execute(
        update(SurveySample)
        .where(col(SurveySample.id) == sample_id)
        .values(state=state, settled_on=settled_on)
    )


async def insert_answer(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Write answers."""
    await session.execute(insert(SurveyAnswer).values(**values))


async def villages(
    session: AsyncSession, survey_id: UUID, within: str, *, after: str, limit: int
) -> Sequence[Any]:
    """How far the villages of a survey are, by code."""
    prefix = f"{division_prefix(within)}%"
    values = {"survey_id": survey_id, "prefix": prefix, "after": after, "limit": limit}
    return (await session.execute(_VILLAGES, values)).all()


async def totals(session: AsyncSession, survey_id: UUID, within: str) -> Any:
    """How far the survey is in a division."""
    values = {"survey_id": survey_id, "prefix": f"{division_prefix(within)}%"}
    return (await session.execute(_TOTALS, values)).one()


async def covered(session: AsyncSession, year: int, within: str) -> set[str]:
    """Villages with an answer to any survey of a year."""
    values = {"year": year, "prefix": f"{division_prefix(within)}%"}
    return set((await session.scalars(_COVERED, values)).all())


async def count_coverage(
    session: AsyncSession, codes: Sequence[str], year: int, changed_at: datetime
) -> Sequence[Any]:
    """Count anew how far villages were asked in a year; their states, locked until the commit."""
    values = {"codes": list(codes), "year": year}
    await session.execute(_HOLD_COVERAGE, {**values, "changed_at": changed_at})
    return (await session.execute(_COUNT_COVERAGE, values)).all()


async def strata(session: AsyncSession, survey_id: UUID, within: str) -> Sequence[Any]:
    """Villages with their households and how many answered."""
    values = {"survey_id": survey_id, "prefix": f"{division_prefix(within)}%"}
    return (await session.execute(_STRATA, values)).all()


async def newest_closed(
    session: AsyncSession, within: str, since: date, until: date
) -> Sequence[Any]:
    """The newest survey of each village that asked there and was closed in a time."""
    prefix = f"{division_prefix(within)}%"
    values = {"prefix": prefix, "since": since, "until": until}
    return (await session.execute(_NEWEST_CLOSED, values)).all()


async def chosen(session: AsyncSession, survey_id: UUID, within: str) -> Sequence[Any]:
    """How often each option was chosen in each village."""
    values = {"survey_id": survey_id, "prefix": f"{division_prefix(within)}%"}
    return (await session.execute(_CHOSEN, values)).all()
