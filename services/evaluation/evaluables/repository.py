"""Queries of case copies and evaluable services."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import RatingLevel
from services.evaluation.evaluables.rules import Given, Standing
from services.evaluation.facts import FACTS_COLUMNS, EvaluableFacts
from services.evaluation.models import Origin, RatingChannel, RatingState, RectificationState

_NOTE_PLACE = text(
    "UPDATE evaluable SET window_code = coalesce(window_code, :window_code), "
    "facility_id = coalesce(facility_id, :facility_id) WHERE id = :id"
)
_LOCK_OWN = text(
    f"SELECT {FACTS_COLUMNS} FROM evaluable e JOIN case_copy c USING (case_id) "  # noqa: S608
    "WHERE e.id = :id AND e.applicant_id = :applicant_id FOR UPDATE OF e"
)
_LOCK = text(
    f"SELECT {FACTS_COLUMNS} FROM evaluable e JOIN case_copy c USING (case_id) "  # noqa: S608
    "WHERE e.id = :id FOR UPDATE OF e"
)
_FIND = text(
    f"SELECT {FACTS_COLUMNS} FROM evaluable e JOIN case_copy c USING (case_id) WHERE e.id = :id"  # noqa: S608
)
_LOCK_UNRATED = text(
    f"SELECT {FACTS_COLUMNS} FROM evaluable e JOIN case_copy c USING (case_id) "  # noqa: S608
    "WHERE NOT e.is_rated AND e.open_until < :today ORDER BY e.open_until, e.id "
    "LIMIT 1 FOR UPDATE OF e SKIP LOCKED"
)
_MARK_RATED = text("UPDATE evaluable SET is_rated = true WHERE id = :id")
_STANDING = (
    "one.level, one.origin, one.given_on, one.channel, one.state, "
    "two.level AS second_level, two.given_on AS second_on, two.channel AS second_channel, "
    "two.state AS second_state, "
    "x.id AS rectification_id, x.state AS rectification, x.rerate_until"
)
_STANDING_JOINS = (
    "LEFT JOIN rating one ON one.evaluable_id = e.id AND one.assess_number = 1 "
    "LEFT JOIN rating two ON two.evaluable_id = e.id AND two.assess_number = 2 "
    "LEFT JOIN rectification x ON x.evaluable_id = e.id"
)
_GET_STANDING = text(
    f"SELECT e.open_until, {_STANDING} FROM evaluable e {_STANDING_JOINS} WHERE e.id = :id"  # noqa: S608
)
#: Open ones first, then the newest; a resident has few, so the order is worked out per call.
_LIST_OWN = text(
    f"SELECT * FROM (SELECT {FACTS_COLUMNS}, e.opened_at, {_STANDING}, "  # noqa: S608
    "CASE WHEN one.id IS NULL AND e.open_until >= :today THEN 0 ELSE 1 END AS rank "
    f"FROM evaluable e JOIN case_copy c USING (case_id) {_STANDING_JOINS} "
    "WHERE e.applicant_id = :applicant_id "
    "AND (CAST(:case_id AS uuid) IS NULL OR e.case_id = :case_id)) own "
    "WHERE CAST(:rank AS int) IS NULL OR rank > :rank "
    "OR (rank = :rank AND (opened_at, evaluable_id) < (:opened_at, :id)) "
    "ORDER BY rank, opened_at DESC, evaluable_id DESC LIMIT :limit"
)


async def note_place(
    session: AsyncSession, evaluable_id: UUID, window_code: str | None, facility_id: UUID | None
) -> None:
    """Write where a service was served, where it is not known yet."""
    values = {"id": evaluable_id, "window_code": window_code, "facility_id": facility_id}
    await session.execute(_NOTE_PLACE, values)


async def lock_own(
    session: AsyncSession, evaluable_id: UUID, applicant_id: UUID
) -> EvaluableFacts | None:
    """Lock an evaluable service of a resident, so that its ratings come one after another."""
    values = {"id": evaluable_id, "applicant_id": applicant_id}
    row = (await session.execute(_LOCK_OWN, values)).one_or_none()
    return EvaluableFacts.of(row) if row else None


async def lock(session: AsyncSession, evaluable_id: UUID) -> EvaluableFacts | None:
    """Lock an evaluable service, whoever's it is."""
    row = (await session.execute(_LOCK, {"id": evaluable_id})).one_or_none()
    return EvaluableFacts.of(row) if row else None


async def find(session: AsyncSession, evaluable_id: UUID) -> EvaluableFacts | None:
    """An evaluable service, whoever's it is."""
    row = (await session.execute(_FIND, {"id": evaluable_id})).one_or_none()
    return EvaluableFacts.of(row) if row else None


async def lock_one_unrated(session: AsyncSession, today: date) -> EvaluableFacts | None:
    """Lock one service whose period passed without a rating."""
    row = (await session.execute(_LOCK_UNRATED, {"today": today})).one_or_none()
    return EvaluableFacts.of(row) if row else None


async def mark_rated(session: AsyncSession, evaluable_id: UUID) -> None:
    """Note that a first rating is there."""
    await session.execute(_MARK_RATED, {"id": evaluable_id})


async def get_standing(session: AsyncSession, evaluable_id: UUID) -> Standing:
    """The standing of a service.

    Concurrency: a statement of its own after the lock; one that waited for the lock would still
    see the ratings of before.
    """
    return standing_of((await session.execute(_GET_STANDING, {"id": evaluable_id})).one())


def standing_of(row: Any) -> Standing:
    """Read the standing out of a row that selected its columns."""
    first = second = None
    if row.level is not None:
        first = _given(row.level, row.origin, row.given_on, row.channel, row.state)
    if row.second_level is not None:
        second = _given(
            row.second_level, Origin.resident, row.second_on, row.second_channel, row.second_state
        )
    state = RectificationState(row.rectification) if row.rectification else None
    return Standing(row.open_until, first, second, state, row.rerate_until)


def _given(level: str, origin: str, given_on: date, channel: str | None, state: str) -> Given:
    return Given(
        RatingLevel(level),
        Origin(origin),
        given_on,
        channel=RatingChannel(channel) if channel else None,
        state=RatingState(state),
    )


async def list_own(
    session: AsyncSession,
    applicant_id: UUID,
    *,
    today: date,
    case_id: UUID | None,
    after: tuple[int, datetime, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Evaluable services of a resident, open ones first, then the newest."""
    rank, opened_at, evaluable_id = after or (None, None, None)
    rows = await session.execute(
        _LIST_OWN,
        {
            "applicant_id": applicant_id,
            "today": today,
            "case_id": case_id,
            "rank": rank,
            "opened_at": opened_at,
            "id": evaluable_id,
            "limit": limit,
        },
    )
    return rows.all()
