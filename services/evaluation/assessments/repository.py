"""Queries of assessment."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.facilities import IndicatorComputed
from contracts.values import division_prefix
from servicekit.copies import keep_newest
from services.evaluation.models import (
    AssessmentCard,
    AssessmentProposal,
    AssessmentScheme,
    IndicatorCopy,
)

_INDICATOR = IndicatorCopy.metadata.tables["indicator_copy"]
_KNOWN = text(
    "SELECT DISTINCT indicator_code FROM indicator_copy WHERE indicator_code = ANY(:codes)"
)
#: The newest value up to the month: some are computed once a year.
_VALUES = text(
    "SELECT DISTINCT ON (division_code, indicator_code) division_code, indicator_code, value, "
    "denominator FROM indicator_copy WHERE indicator_code = ANY(:codes) AND month <= :month "
    "AND month > :month - interval '12 months' AND division_code LIKE :prefix "
    "ORDER BY division_code, indicator_code, month DESC"
)
_SCORES = text(
    "SELECT m.* FROM score_month m JOIN score s USING (subject_kind, subject_id) "
    "WHERE m.day = :month AND subject_kind = :kind AND s.division_code LIKE :prefix"
)
_UNITS = text(
    "SELECT subject_id, subject_name FROM score WHERE subject_kind = 'unit' "
    "AND division_code LIKE :prefix ORDER BY subject_id"
)
_NEWEST = text("SELECT * FROM assessment_scheme WHERE code = :code ORDER BY version DESC LIMIT 1")
#: Making a month's cards takes turns; later versions for earlier months do not exist.
_IN_FORCE = text(
    "SELECT * FROM assessment_scheme WHERE code = :code AND valid_from <= :month "
    "ORDER BY version DESC LIMIT 1"
)
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('assessment:' || :code, 0))")
_SCHEMES = text(
    "SELECT * FROM assessment_scheme WHERE division_code LIKE :prefix "
    "AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit"
)
_DUE = text(
    "SELECT DISTINCT code FROM assessment_scheme s WHERE valid_from <= :month AND NOT EXISTS "
    "(SELECT FROM assessment_card c WHERE c.code = s.code AND c.month = :month) ORDER BY code"
)
_CLEAR = text("DELETE FROM assessment_card WHERE code = :code AND month = :month")
_CLEAR_PROPOSALS = text(
    "DELETE FROM assessment_proposal WHERE code = :code AND month = :month AND state = 'proposed'"
)
_CARDS = text(
    "SELECT * FROM assessment_card WHERE code = :code AND month = :month "
    "AND (CAST(:place AS int) IS NULL OR (place, subject_id) > (:place, :subject_id)) "
    "ORDER BY place, subject_id LIMIT :limit"
)
_CARD = text(
    "SELECT * FROM assessment_card WHERE code = :code AND month = :month AND subject_id = :id"
)
_WERE_LAST = text(
    "SELECT subject_id, month, is_last FROM assessment_card "
    "WHERE code = :code AND month = ANY(:months) AND subject_id = ANY(:subjects)"
)
_PROPOSE = text(
    "INSERT INTO assessment_proposal (id, code, division_code, month, subject_id, subject_name, "
    "kind, state, version) VALUES (:id, :code, :division_code, :month, :subject_id, "
    ":subject_name, :kind, 'proposed', 1) ON CONFLICT (code, month, subject_id, kind) DO NOTHING"
)
_PROPOSALS = text(
    "SELECT * FROM assessment_proposal WHERE division_code LIKE :prefix "
    "AND (CAST(:state AS text) IS NULL OR state = :state) "
    "AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit"
)
_LOCK_PROPOSAL = text("SELECT * FROM assessment_proposal WHERE id = :id FOR UPDATE")


def _prefix(within: str) -> str:
    return f"{division_prefix(within)}%"


async def keep_indicator(session: AsyncSession, event: IndicatorComputed) -> None:
    """Store an indicator unless a newer computation is there."""
    values = event.model_dump(include=set(_INDICATOR.columns.keys()))
    await keep_newest(session, _INDICATOR, values, by=("revision",))


async def known_indicators(session: AsyncSession, codes: Sequence[str]) -> set[str]:
    """Those of the codes that facilities has ever told a value of."""
    return set((await session.scalars(_KNOWN, {"codes": list(codes)})).all())


async def indicators(
    session: AsyncSession, codes: Sequence[str], within: str, month: date
) -> Sequence[Any]:
    """The newest values of the last twelve months, by division and indicator."""
    values = {"codes": list(codes), "month": month, "prefix": _prefix(within)}
    return (await session.execute(_VALUES, values)).all()


async def scores(session: AsyncSession, kind: str, within: str, month: date) -> Sequence[Any]:
    """Scores of a month of the subjects of a division."""
    values = {"kind": kind, "month": month, "prefix": _prefix(within)}
    return (await session.execute(_SCORES, values)).all()


async def units(session: AsyncSession, within: str) -> Sequence[Any]:
    """Units of a division that anything was ever counted for."""
    return (await session.execute(_UNITS, {"prefix": _prefix(within)})).all()


async def newest(session: AsyncSession, code: str) -> Any | None:
    """The newest version of a scheme."""
    return (await session.execute(_NEWEST, {"code": code})).one_or_none()


async def in_force(session: AsyncSession, code: str, month: date) -> Any | None:
    """The version of a scheme that a month goes by."""
    return (await session.execute(_IN_FORCE, {"code": code, "month": month})).one_or_none()


async def take_turn(session: AsyncSession, code: str) -> None:
    """Wait for who makes cards of the scheme; others wait until the commit."""
    await session.execute(_TURN, {"code": code})


async def insert_scheme(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Write a version of a scheme."""
    await session.execute(insert(AssessmentScheme).values(**values))


async def schemes(
    session: AsyncSession, within: str, *, before: UUID | None, limit: int
) -> Sequence[Any]:
    """Versions of schemes of a division, newest first."""
    values = {"prefix": _prefix(within), "before": before, "limit": limit}
    return (await session.execute(_SCHEMES, values)).all()


async def due(session: AsyncSession, month: date) -> Sequence[str]:
    """Schemes without cards of a month."""
    return (await session.scalars(_DUE, {"month": month})).all()


async def replace_cards(
    session: AsyncSession, code: str, month: date, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write a month's cards in place of those that are there; undecided proposals go, too."""
    await session.execute(_CLEAR, {"code": code, "month": month})
    await session.execute(_CLEAR_PROPOSALS, {"code": code, "month": month})
    if rows:
        await session.execute(insert(AssessmentCard), list(rows))


async def cards(
    session: AsyncSession,
    code: str,
    month: date,
    *,
    after: tuple[int, str] | None,
    limit: int,
) -> Sequence[Any]:
    """Cards of a month by place."""
    at, subject_id = after or (None, None)
    values = {"code": code, "month": month, "place": at, "subject_id": subject_id, "limit": limit}
    return (await session.execute(_CARDS, values)).all()


async def card(session: AsyncSession, code: str, month: date, subject_id: str) -> Any | None:
    """One card."""
    values = {"code": code, "month": month, "id": subject_id}
    return (await session.execute(_CARD, values)).one_or_none()


async def were_last(
    session: AsyncSession, code: str, months: Sequence[date], subjects: Sequence[str]
) -> dict[tuple[str, date], bool]:
    """Whether subjects were last in months; without an entry there is no card."""
    values = {"code": code, "months": list(months), "subjects": list(subjects)}
    rows = await session.execute(_WERE_LAST, values)
    return {(row.subject_id, row.month): row.is_last for row in rows}


async def propose(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write proposals; what was decided for the month stays as it is."""
    if rows:
        await session.execute(_PROPOSE, list(rows))


async def proposals(
    session: AsyncSession, within: str, state: str | None, *, before: UUID | None, limit: int
) -> Sequence[Any]:
    """Proposals of a division, newest first."""
    values = {"prefix": _prefix(within), "state": state, "before": before, "limit": limit}
    return (await session.execute(_PROPOSALS, values)).all()


async def lock_proposal(session: AsyncSession, proposal_id: UUID) -> Any | None:
    """One proposal, locked until the commit."""
    return (await session.execute(_LOCK_PROPOSAL, {"id": proposal_id})).one_or_none()


async def change_proposal(
    session: AsyncSession, proposal_id: UUID, values: Mapping[str, Any]
) -> None:
    """Change a locked proposal."""
    await session.execute(
        update(AssessmentProposal).where(col(AssessmentProposal.id) == proposal_id).values(**values)
    )
