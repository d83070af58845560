"""Scores: changed with each rating, told as full state, ranked, and recounted."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import ScoreChanged
from contracts.values import RatingLevel, division_prefix
from servicekit.errors import Invalid, NotFound
from servicekit.logging import logger
from servicekit.outbox import now, record
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor
from services.evaluation.calendar.rules import local_day
from services.evaluation.facts import EvaluableFacts
from services.evaluation.models import SubjectKind
from services.evaluation.scores import recount as recounting
from services.evaluation.scores import repository
from services.evaluation.scores.repository import Subject, tally_of
from services.evaluation.scores.rules import Change, Tally
from services.evaluation.scores.schemas import (
    Counts,
    RankedScore,
    Recount,
    ScoreDayRead,
    ScoreDays,
    ScoreRead,
)

DEFAULT_DAYS = 30
MAX_DAYS = 366
_UNIT = re.compile(r"[0-9]{12}:[a-z][a-z0-9-]{1,47}")


class SubjectNotFound(NotFound):
    code, title = "subject-not-found", "没有这样的事项或单位"


class DivisionNotForItems(Invalid):
    code, title = "division-not-for-items", "按区域排名只适用于单位"


class PeriodInvalid(Invalid):
    code, title = "period-invalid", "起止日期不正确，最长可查 366 天"


async def apply(session: AsyncSession, facts: EvaluableFacts, change: Change) -> None:
    """Bring a change into the scores of its item and its unit, and tell their new state.

    The one place that counts: `facts` says for whom, the change when and how it was first rated.
    """
    if not (change.current or change.first or change.default):
        return
    changed_at = now()
    subjects: dict[Subject, str | None] = {
        Subject(SubjectKind.item, str(facts.item_id)): facts.item_name
    }
    if facts.unit_code is not None:
        subjects[Subject(SubjectKind.unit, facts.unit_code)] = facts.unit_name
    for subject in sorted(subjects):
        row = await repository.add(
            session,
            subject,
            change,
            name=subjects[subject],
            division_code=_division_of(subject),
            changed_at=changed_at,
        )
        await record(session, _event(row))


async def get(session: AsyncSession, kind: SubjectKind, subject_id: str) -> ScoreRead:
    """The score of a subject; one that nobody rated yet has zero counts.

    Raises:
        SubjectNotFound: the id is none of that kind.
    """
    subject = _subject(kind, subject_id)
    row = await repository.find(session, subject)
    if row is not None:
        return ScoreRead(**_read(row))
    return ScoreRead(
        subject_kind=kind,
        subject_id=subject.id,
        subject_name=None,
        revision=0,
        changed_at=None,
        **_counts(Tally.empty()).model_dump(),
    )


async def list_days(
    session: AsyncSession,
    kind: SubjectKind,
    subject_id: str,
    *,
    first: date | None,
    last: date | None,
) -> ScoreDays:
    """The time series of a subject.

    Raises:
        SubjectNotFound: the id is none of that kind.
        PeriodInvalid: it ends before it begins, or is longer than 366 days.
    """
    last = last or local_day(now())
    first = first or last - timedelta(days=min(DEFAULT_DAYS, last.toordinal()) - 1)
    if not 0 <= (last - first).days < MAX_DAYS:
        raise PeriodInvalid
    rows = await repository.list_days(session, _subject(kind, subject_id), first, last)
    return ScoreDays(
        items=[ScoreDayRead(day=row.day, **_counts(tally_of(row)).model_dump()) for row in rows]
    )


async def rank(
    session: AsyncSession,
    kind: SubjectKind,
    *,
    division_code: str | None,
    after: str | None,
    limit: int,
) -> Page[RankedScore]:
    """Rated subjects, best first.

    Raises:
        DivisionNotForItems: items belong to no division here.
    """
    if division_code is not None and kind is not SubjectKind.unit:
        raise DivisionNotForItems
    rows = await repository.rank(
        session,
        kind,
        division_prefix=division_prefix(division_code) if division_code else None,
        after=_position(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    last = page[-1] if more else None
    return Page(
        items=[
            RankedScore(**_read(row), satisfaction_floor=row.satisfaction_floor) for row in page
        ],
        next=encode_cursor(last.satisfaction_floor, last.subject_id) if last else None,
    )


async def recount(session: AsyncSession) -> Recount:
    """Compare every score with the ratings it is made of, and put right what differs.

    Concurrency: holds back new ratings until the commit.
    """
    await recounting.hold_ratings(session)
    changed_at = now()
    differing = await recounting.differing(session)
    for kind, subject_id in differing:
        row = await recounting.rewrite(session, kind, subject_id, changed_at)
        logger.error("score_differed_from_recount", subject_kind=kind, subject_id=subject_id)
        await record(session, _event(row))
    return Recount(differing=[f"{kind}:{subject_id}" for kind, subject_id in differing])


def _subject(kind: SubjectKind, subject_id: str) -> Subject:
    if kind is SubjectKind.item:
        try:
            return Subject(kind, str(UUID(subject_id)))
        except ValueError:
            raise SubjectNotFound from None
    if not _UNIT.fullmatch(subject_id):
        raise SubjectNotFound
    return Subject(kind, subject_id)


def _division_of(subject: Subject) -> str | None:
    return subject.id.partition(":")[0] if subject.kind is SubjectKind.unit else None


def _position(after: str | None) -> tuple[float, str] | None:
    if after is None:
        return None
    floor, subject_id = decode_cursor(after, 2)
    if not isinstance(floor, float) or not isinstance(subject_id, str) or "\x00" in subject_id:
        raise CursorMalformed
    return floor, subject_id


def _counts(tally: Tally) -> Counts:
    return Counts(
        counts=_all_levels(tally.current),
        rated=tally.rated,
        satisfaction_ratio=tally.satisfaction_ratio,
        average_stars=tally.average_stars,
        first_counts=_all_levels(tally.first),
        bad_first=tally.bad_first,
        default_count=tally.default,
    )


def _all_levels(counts: Any) -> dict[RatingLevel, int]:
    return {level: counts.get(level, 0) for level in RatingLevel}


def _read(row: Any) -> dict[str, Any]:
    return {
        "subject_kind": row.subject_kind,
        "subject_id": row.subject_id,
        "subject_name": row.subject_name,
        "revision": row.revision,
        "changed_at": row.changed_at,
        **_counts(tally_of(row)).model_dump(),
    }


def _event(row: Any) -> ScoreChanged:
    counts = _counts(tally_of(row))
    recorded_at: datetime = row.changed_at
    return ScoreChanged(
        subject_key=f"{row.subject_kind}:{row.subject_id}",
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        revision=row.revision,
        counts=counts.counts,
        rated=counts.rated,
        satisfaction_ratio=counts.satisfaction_ratio,
        average_stars=counts.average_stars,
        first_counts=counts.first_counts,
        default_count=counts.default_count,
        recorded_at=recorded_at,
    )
