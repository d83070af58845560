"""Making a month's score cards, and the proposals that follow from the ranking."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.identifiers import new_id
from servicekit.outbox import now
from services.evaluation.assessments import repository
from services.evaluation.assessments.rules import (
    UNRANKED,
    Bounds,
    Part,
    Placed,
    is_last_throughout,
    months_before,
    part,
    place,
    points,
)
from services.evaluation.assessments.schemas import Indicator, Made, Measure, SurveyMeasure
from services.evaluation.divisions import service as divisions
from services.evaluation.models import AssessedKind, ProposalKind
from services.evaluation.scores import service as scores
from services.evaluation.scores.rules import Tally
from services.evaluation.settings import EvaluationSettings
from services.evaluation.surveys.villages import VillageResult, newest_results

Interval = tuple[float, float]


@dataclass(slots=True)
class Known:
    """Values by subject and indicator; what is not known, or of too few, is left out or None."""

    values: dict[tuple[str, str], float | None] = field(default_factory=dict)
    intervals: dict[tuple[str, str], Interval] = field(default_factory=dict)


#: Measure → its value, and what must reach the indicator's minimum.
_MEASURES: Mapping[Measure, Callable[[Any, Tally], tuple[float | None, int]]] = {
    Measure.satisfaction_ratio: lambda _, t: (t.satisfaction_ratio, t.rated),
    Measure.satisfaction_floor: lambda row, t: (row.satisfaction_floor, t.rated),
    Measure.active_ratio: lambda _, t: (t.active_ratio, t.opened),
    Measure.on_time_ratio: lambda _, t: (t.on_time_ratio, t.promised),
    Measure.completed: lambda _, t: (float(t.opened), t.opened),
    Measure.rectified_ratio: lambda _, t: (t.rectified_ratio, t.matters),
    Measure.answered_in_time_ratio: lambda _, t: (t.answered_in_time_ratio, t.matters_answered),
    Measure.called_back_ratio: lambda _, t: (t.called_back_ratio, t.matters),
}
#: Measure of a survey → its value, how many it is of, and its interval where it is an estimate.
_SURVEYED: Mapping[
    SurveyMeasure, Callable[[VillageResult], tuple[float | None, int, Interval | None]]
] = {
    SurveyMeasure.satisfaction: lambda v: (
        (v.positive.share, v.positive.answered, (v.positive.low, v.positive.high))
        if v.positive
        else (None, 0, None)
    ),
    SurveyMeasure.satisfaction_floor: lambda v: (
        (v.positive.low, v.positive.answered, None) if v.positive else (None, 0, None)
    ),
    SurveyMeasure.response: lambda v: (v.response_ratio, v.sampled, None),
}
#: Months a survey counts for, its own the first.
_SURVEY_MONTHS = 12
_SCORED = {AssessedKind.community: "division", AssessedKind.unit: "unit"}


async def make(
    session: AsyncSession, scheme: Any, month: date, settings: EvaluationSettings
) -> Made:
    """Write the cards of everybody a scheme assesses, in place of those of before.

    Concurrency: one at a time a scheme.
    """
    await repository.take_turn(session, scheme.code)
    subjects = await _subjects(session, scheme, month)
    indicators = [Indicator.model_validate(each) for each in scheme.indicators]
    known = await _values(session, scheme, indicators, month)
    await _add_surveys(session, scheme, indicators, month, known, settings.publication_minimum)
    parts = {
        subject: [
            part(
                Bounds(each.code, each.weight, each.zero, each.full),
                known.values.get((subject, each.code)),
            )
            for each in indicators
        ]
        for subject in subjects
    }
    placed = place({subject: points(found) for subject, found in parts.items()})
    rows = [_card(scheme, month, each, subjects[each.subject_id], parts, known) for each in placed]
    await repository.replace_cards(session, scheme.code, month, rows)
    proposed = await _propose(session, scheme, month, placed, subjects)
    ranked = sum(each.points is not None for each in placed)
    return Made(month=month, cards=len(placed), ranked=ranked, proposals=proposed)


async def _subjects(session: AsyncSession, scheme: Any, month: date) -> dict[str, str | None]:
    if scheme.assessed == AssessedKind.unit:
        rows = await repository.units(session, scheme.division_code)
        return {row.subject_id: row.subject_name for row in rows}
    villages = await divisions.communities(session, scheme.division_code, month.year)
    return {village.code: village.name for village in villages}


async def _values(
    session: AsyncSession, scheme: Any, indicators: list[Indicator], month: date
) -> Known:
    known = Known()
    kind = _SCORED[AssessedKind(scheme.assessed)]
    for row in await repository.scores(session, kind, scheme.division_code, month):
        tally = scores.tally_of(row)
        for each in indicators:
            if isinstance(each.measure, Measure):
                value, count = _MEASURES[each.measure](row, tally)
                known.values[row.subject_id, each.code] = value if count >= each.minimum else None
    by_code = {each.indicator_code: each for each in indicators if each.indicator_code}
    for row in await repository.indicators(session, list(by_code), scheme.division_code, month):
        each = by_code[row.indicator_code]
        known.values[row.division_code, each.code] = row.value
    return known


async def _add_surveys(
    session: AsyncSession,
    scheme: Any,
    indicators: list[Indicator],
    month: date,
    known: Known,
    publication_minimum: int,
) -> None:
    asked = [
        (each, _SURVEYED[each.measure])
        for each in indicators
        if isinstance(each.measure, SurveyMeasure)
    ]
    if not asked:
        return
    since = months_before(month, _SURVEY_MONTHS)[-1]
    until = (month + timedelta(days=31)).replace(day=1)
    found = await newest_results(
        session, scheme.division_code, since, until, minimum=publication_minimum
    )
    for village, result in found.items():
        for each, measure in asked:
            value, count, interval = measure(result)
            if value is not None and count >= each.minimum:
                known.values[village, each.code] = value
                if interval is not None:
                    known.intervals[village, each.code] = interval


def _card(
    scheme: Any,
    month: date,
    placed: Placed,
    name: str | None,
    parts: Mapping[str, list[Part]],
    known: Known,
) -> dict[str, Any]:
    return {
        "code": scheme.code,
        "month": month,
        "subject_id": placed.subject_id,
        "scheme_id": scheme.id,
        "subject_name": name,
        "points": placed.points,
        "place": placed.place,
        "is_last": placed.is_last,
        "parts": [
            {
                "code": each.code,
                "value": each.value,
                **_interval(known, placed.subject_id, each.code),
                "points": each.points,
                "weight": each.weight,
            }
            for each in parts[placed.subject_id]
        ],
        "made_at": now(),
    }


def _interval(known: Known, subject_id: str, code: str) -> dict[str, float]:
    found = known.intervals.get((subject_id, code))
    return {"low": found[0], "high": found[1]} if found else {}


async def _propose(
    session: AsyncSession,
    scheme: Any,
    month: date,
    placed: list[Placed],
    subjects: Mapping[str, str | None],
) -> int:
    months = months_before(month, scheme.months_last)
    last = [each.subject_id for each in placed if each.is_last]
    were_last = await repository.were_last(session, scheme.code, months, last)
    kinds = [
        (subject, ProposalKind.talk)
        for subject in last
        if is_last_throughout(
            [were_last.get((subject, each)) for each in months], scheme.months_last
        )
    ]
    kinds += [
        (each.subject_id, ProposalKind.incentive)
        for each in placed
        if each.place <= scheme.incentive_places and each.place != UNRANKED and not each.is_last
    ]
    rows = [
        {
            "id": new_id(),
            "code": scheme.code,
            "division_code": scheme.division_code,
            "month": month,
            "subject_id": subject,
            "subject_name": subjects[subject],
            "kind": kind.value,
        }
        for subject, kind in kinds
    ]
    await repository.propose(session, rows)
    return len(rows)
