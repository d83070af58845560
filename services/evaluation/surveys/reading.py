"""How far a survey is, and what it says of whom: estimates by division, small ones withheld."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import DivisionCode, division_covers
from servicekit.auth import Caller, WrongDivision
from servicekit.errors import Conflict
from servicekit.paging import CursorMalformed, cut, decode_cursor, encode_cursor
from services.evaluation.divisions import service as divisions
from services.evaluation.models import SurveyState
from services.evaluation.settings import EvaluationSettings
from services.evaluation.suppression import Cell, division_tree, withheld
from services.evaluation.surveys import repository, service
from services.evaluation.surveys.estimates import FORMULA, Estimate, Stratum, estimate
from services.evaluation.surveys.questions import Question, QuestionKind
from services.evaluation.surveys.schemas import (
    Coverage,
    DivisionResult,
    EstimateRead,
    OptionResult,
    QuestionResult,
    Results,
    UncoveredVillage,
    VillageCoverage,
    YearCoverage,
)


class SurveyStillOpen(Conflict):
    code, title = "survey-still-open", "调查结束后才显示结果"


_DIVISION: TypeAdapter[str] = TypeAdapter(DivisionCode)
#: Village → question → option → answers.
_Chosen = Mapping[str, Mapping[str, Mapping[str, int]]]


async def coverage(
    session: AsyncSession,
    survey_id: UUID,
    caller: Caller,
    *,
    within: str | None,
    after: str | None,
    limit: int,
) -> Coverage:
    """How far every village of a survey is, at this moment.

    Raises:
        SurveyNotFound: there is none.
        WrongDivision: it lies outside the caller's.
    """
    survey = await service.find(session, survey_id)
    within = within or survey.division_code
    caller.ensure_covers(within)
    rows = await repository.villages(
        session, survey_id, within, after=_position(after), limit=limit + 1
    )
    totals = await repository.totals(session, survey_id, within)
    page, more = cut(list(rows), limit)
    return Coverage(
        villages=totals.villages,
        covered=totals.covered,
        sampled=totals.sampled,
        answered=totals.answered,
        response_ratio=_share(totals.answered, totals.sampled),
        coverage_ratio=_share(totals.covered, totals.villages),
        items=[
            VillageCoverage(
                **row._mapping,
                response_ratio=_share(row.answered, row.sampled),
                is_covered=row.answered > 0,
            )
            for row in page
        ],
        next=encode_cursor(page[-1].division_code) if more else None,
    )


def _position(after: str | None) -> str:
    if after is None:
        return ""
    [code] = decode_cursor(after, 1)
    try:
        return _DIVISION.validate_python(code)
    except ValidationError:
        raise CursorMalformed from None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


async def year_coverage(
    session: AsyncSession, within: str, year: int, caller: Caller
) -> YearCoverage:
    """The villages in force that no survey of the year has an answer of yet.

    Raises:
        WrongDivision: it lies outside the caller's.
    """
    caller.ensure_covers(within)
    villages = await divisions.communities(session, within, year)
    covered = await repository.covered(session, year, within)
    left = [village for village in villages if village.code not in covered]
    return YearCoverage(
        year=year,
        villages=len(villages),
        covered=len(villages) - len(left),
        uncovered=[UncoveredVillage(division_code=each.code, name=each.name) for each in left],
    )


async def results(
    session: AsyncSession,
    survey_id: UUID,
    *,
    division_code: str | None,
    settings: EvaluationSettings,
) -> Results:
    """Estimates for a division and for its parts, once nothing is added any more.

    Whoever saw them before and after an answer would know the answer, so nobody sees them earlier.
    What is withheld is worked out for the whole survey, so that no division asked for by itself
    shows what the table of the division above withholds.

    Raises:
        SurveyNotFound: there is none.
        SurveyStillOpen: it is not closed.
        WrongDivision: not a division of the survey.
    """
    survey = await service.find(session, survey_id)
    if survey.state != SurveyState.closed:
        raise SurveyStillOpen
    asked = division_code or survey.division_code
    if not division_covers(survey.division_code, asked):
        raise WrongDivision
    strata = await repository.strata(session, survey_id, survey.division_code)
    chosen = _by_village(await repository.chosen(session, survey_id, survey.division_code))
    questionnaire = await repository.questionnaire(session, survey.questionnaire_id)
    assert questionnaire is not None  # a foreign key
    questions = [Question.model_validate(each) for each in questionnaire.questions]
    tree = division_tree(survey.division_code, {row.division_code: row.answered for row in strata})
    hidden = withheld(tree, settings.publication_minimum)
    cell = _find(tree, asked) or Cell(asked, 0)
    names = await divisions.names(session, [asked, *(part.key for part in cell.parts)])
    table = _Table(strata, chosen, questions, hidden, names)
    return Results(
        survey_id=survey_id,
        formula=FORMULA,
        whole=table.division(cell),
        questions=[] if asked in hidden else table.questions_of(asked),
        parts=[table.division(part) for part in cell.parts if not part.key.endswith("*")],
    )


def _by_village(rows: Sequence[Any]) -> _Chosen:
    chosen: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        chosen[row.division_code][row.question][row.option] = row.n
    return chosen


def _find(cell: Cell, key: str) -> Cell | None:
    if cell.key == key:
        return cell
    found = (_find(part, key) for part in cell.parts)
    return next((each for each in found if each is not None), None)


class _Table:
    """Everything the estimates of one survey are made of."""

    def __init__(
        self,
        strata: Sequence[Any],
        chosen: _Chosen,
        questions: Sequence[Question],
        hidden: frozenset[str],
        names: Mapping[str, str],
    ) -> None:
        self._strata = strata
        self._chosen = chosen
        self._questions = questions
        self._hidden = hidden
        self._names = names

    def division(self, cell: Cell) -> DivisionResult:
        """The main question of a division: the first that can be for or against."""
        name = self._names.get(cell.key)
        main = next((each for each in self._questions if each.positive), None)
        if cell.key in self._hidden or cell.count == 0:
            return DivisionResult(
                division_code=cell.key,
                name=name,
                is_withheld=cell.key in self._hidden,
                answered=None if cell.key in self._hidden else 0,
                households=None,
                positive=None,
            )
        positive = self._estimate(cell.key, main, main.positive) if main else None
        return DivisionResult(
            division_code=cell.key,
            name=name,
            is_withheld=False,
            answered=cell.count,
            households=positive.households if positive else None,
            positive=_read(positive),
        )

    def questions_of(self, within: str) -> list[QuestionResult]:
        """Every question of a division."""
        return [self._question(within, question) for question in self._questions]

    def _question(self, within: str, question: Question) -> QuestionResult:
        options = [
            (option, self._estimate(within, question, frozenset({option})))
            for option in question.choices
        ]
        whole = self._estimate(within, question, frozenset(question.choices))
        positive = None
        if question.kind is not QuestionKind.choice:
            positive = self._estimate(within, question, question.positive)
        return QuestionResult(
            code=question.code,
            text=question.text,
            answered=whole.answered if whole else 0,
            positive=_read(positive),
            options=[
                OptionResult(option=option, estimate=read)
                for option, found in options
                if (read := _read(found)) is not None
            ],
        )

    def _estimate(
        self, within: str, question: Question, options: frozenset[str]
    ) -> Estimate | None:
        return estimate(
            Stratum(row.division_code, row.households, sum(given.values()), _sum(given, options))
            for row in self._strata
            if division_covers(within, row.division_code) and row.households
            for given in [self._chosen.get(row.division_code, {}).get(question.code, {})]
        )


def _sum(given: Mapping[str, int], options: frozenset[str]) -> int:
    return sum(count for option, count in given.items() if option in options)


def _read(found: Estimate | None) -> EstimateRead | None:
    if found is None:
        return None
    return EstimateRead(
        share=found.share, low=found.low, high=found.high, standard_error=found.standard_error
    )
