"""Scores as they are asked for: one, its time series, a ranking, its place among peers."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import DivisionLevel, RatingLevel, division_level, division_prefix
from servicekit.auth import Caller
from servicekit.errors import Invalid
from servicekit.outbox import now
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor
from services.evaluation.calendar.rules import local_day
from services.evaluation.models import SubjectKind
from services.evaluation.scores import access, repository, settling
from services.evaluation.scores.exports import Selection
from services.evaluation.scores.repository import Peers, Period
from services.evaluation.scores.rules import Grain, Tally, percentile
from services.evaluation.scores.schemas import (
    Counts,
    RankedScore,
    ScoreDayRead,
    ScoreDays,
    ScoreRead,
    ScoreSeries,
    Standing,
)
from services.evaluation.scores.subjects import names_now, subject_of

DEFAULT_DAYS = 30
#: The longest series by grain, in days.
MAX_DAYS = {Grain.day: 366, Grain.month: 3_660, Grain.year: 36_600}
#: Those of `score_event` need no division: they belong to the whole system.
_EVERYWHERE = frozenset({SubjectKind.item, SubjectKind.channel})

touch = settling.touch
tally_of = repository.tally_of


class DivisionNotForItems(Invalid):
    code, title = "division-not-for-items", "事项和渠道不按区域排名"


class LevelNotForKind(Invalid):
    code, title = "level-not-for-kind", "级别只适用于区划，区划排名须指明级别"


class PeriodInvalid(Invalid):
    code, title = "period-invalid", "起止日期不正确，或超出可查的最长期间"


async def get(
    session: AsyncSession, kind: SubjectKind, subject_id: str, caller: Caller | None
) -> ScoreRead:
    """The score of a subject; one of which nothing counts yet has zero counts.

    Raises:
        SubjectNotFound: the id is none of that kind.
        Unauthenticated, WrongRole, WrongDivision, WrongUnit: see `access.ensure_may_read`.
    """
    subject = subject_of(kind, subject_id)
    row = await repository.find(session, subject)
    access.ensure_may_read(caller, subject, row)
    names = await names_now(session, kind, [subject.id])
    if row is not None:
        return ScoreRead(**_read(row, names))
    return ScoreRead(
        subject_kind=kind,
        subject_id=subject.id,
        subject_name=names.get(subject.id),
        revision=0,
        changed_at=None,
        **_counts(Tally()).model_dump(),
    )


async def list_series(
    session: AsyncSession,
    kind: SubjectKind,
    subject_id: str,
    caller: Caller | None,
    *,
    grain: Grain,
    first: date | None,
    last: date | None,
) -> ScoreSeries:
    """The time series of a subject.

    Raises:
        SubjectNotFound: the id is none of that kind.
        PeriodInvalid: it ends before it begins, or is longer than its grain allows.
        Unauthenticated, WrongRole, WrongDivision, WrongUnit: see `access.ensure_may_read`.
    """
    if grain is Grain.all:
        raise PeriodInvalid
    first, last = period_of(grain, first, last)
    subject = subject_of(kind, subject_id)
    access.ensure_may_read(caller, subject, await repository.find(session, subject))
    rows = await repository.series(session, subject, grain, first, last)
    items = [ScoreDayRead(day=row.day, **_counts(tally_of(row)).model_dump()) for row in rows]
    return ScoreSeries(grain=grain, items=items)


async def list_days(
    session: AsyncSession,
    kind: SubjectKind,
    subject_id: str,
    caller: Caller | None,
    *,
    first: date | None,
    last: date | None,
) -> ScoreDays:
    """The days of a subject; see `list_series`."""
    series = await list_series(
        session, kind, subject_id, caller, grain=Grain.day, first=first, last=last
    )
    return ScoreDays(items=series.items)


def period_of(grain: Grain, first: date | None, last: date | None) -> tuple[date, date]:
    """The days asked for; the last 30 days, months or years by default.

    Raises:
        PeriodInvalid: it ends before it begins, or is longer than its grain allows.
    """
    last = last or local_day(now())
    days = DEFAULT_DAYS * (MAX_DAYS[grain] // MAX_DAYS[Grain.day])
    first = first or last - timedelta(days=min(days, last.toordinal()) - 1)
    first = grain.first_day(first)
    if not 0 <= (last - first).days < MAX_DAYS[grain]:
        raise PeriodInvalid
    return first, last


async def rank(
    session: AsyncSession,
    kind: SubjectKind,
    caller: Caller | None,
    *,
    division_code: str | None,
    level: DivisionLevel | None,
    period: Period,
    after: str | None,
    limit: int,
) -> Page[RankedScore]:
    """Rated subjects, best first.

    Raises:
        DivisionNotForItems: items and channels belong to no division here.
        LevelNotForKind: a level without divisions to rank, or divisions without a level.
        Unauthenticated, WrongRole, WrongDivision, WrongUnit: see `access.ensure_may_rank`.
    """
    if division_code is not None and kind in _EVERYWHERE:
        raise DivisionNotForItems
    if (level is not None) != (kind is SubjectKind.division):
        raise LevelNotForKind
    access.ensure_may_rank(caller, kind, division_code)
    peers = Peers(kind, level, division_prefix(division_code) if division_code else None)
    rows = await repository.rank(session, peers, period, after=_position(after), limit=limit + 1)
    page, more = cut(list(rows), limit)
    last = page[-1] if more else None
    names = await names_now(session, kind, [row.subject_id for row in page])
    return Page(
        items=[
            RankedScore(**_read(row, names), satisfaction_floor=row.satisfaction_floor)
            for row in page
        ],
        next=encode_cursor(last.satisfaction_floor, last.subject_id) if last else None,
    )


def selection(
    kind: SubjectKind,
    caller: Caller,
    *,
    division_code: str,
    level: DivisionLevel | None,
    grain: Grain,
    first: date | None,
    last: date | None,
) -> Selection:
    """What an export holds.

    Raises:
        DivisionNotForItems, LevelNotForKind: as for `rank`, but divisions need no level.
        PeriodInvalid: see `period_of`.
        WrongDivision: it lies outside the caller's.
    """
    if kind in _EVERYWHERE:
        raise DivisionNotForItems
    if level is not None and kind is not SubjectKind.division:
        raise LevelNotForKind
    if grain is Grain.all:
        raise PeriodInvalid
    caller.ensure_covers(division_code)
    first, last = period_of(grain, first, last)
    return Selection(Peers(kind, level, division_prefix(division_code)), grain, first, last)


async def stand(
    session: AsyncSession,
    kind: SubjectKind,
    subject_id: str,
    caller: Caller | None,
    *,
    within: str | None,
    period: Period,
) -> Standing:
    """Where a subject stands among those of its kind (divisions: of its level).

    Raises:
        SubjectNotFound, DivisionNotForItems: see `get` and `rank`.
        Unauthenticated, WrongRole, WrongDivision, WrongUnit: see `access.ensure_may_read`.
    """
    if within is not None and kind in _EVERYWHERE:
        raise DivisionNotForItems
    subject = subject_of(kind, subject_id)
    access.ensure_may_read(caller, subject, await repository.find(session, subject))
    level = division_level(subject.id) if kind is SubjectKind.division else None
    peers = Peers(kind, level, division_prefix(within) if within else None)
    row = await repository.standing(session, subject, peers, period)
    if row is None:
        return Standing(rated_peers=0, satisfaction_floor=None, percentile=None)
    return Standing(
        rated_peers=row.peers,
        satisfaction_floor=row.floor,
        percentile=percentile(row.below, row.equal, row.peers),
    )


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
        opened=tally.opened,
        active_ratio=tally.active_ratio,
        on_time_ratio=tally.on_time_ratio,
        matters=tally.matters,
        rectified_ratio=tally.rectified_ratio,
        answered_in_time_ratio=tally.answered_in_time_ratio,
        called_back_ratio=tally.called_back_ratio,
    )


def _all_levels(counts: Any) -> dict[RatingLevel, int]:
    return {level: counts.get(level, 0) for level in RatingLevel}


def _read(row: Any, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "subject_kind": row.subject_kind,
        "subject_id": row.subject_id,
        "subject_name": names.get(row.subject_id, row.subject_name),
        "revision": row.revision,
        "changed_at": row.changed_at,
        **_counts(tally_of(row)).model_dump(),
    }
