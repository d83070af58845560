"""What the newest closed survey says of each village, for those who assess villages."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.evaluation.suppression import division_tree, withheld
from services.evaluation.surveys import repository
from services.evaluation.surveys.estimates import Estimate, Stratum, estimate
from services.evaluation.surveys.questions import Question


@dataclass(frozen=True, slots=True)
class VillageResult:
    """A village in a survey; the estimate is left out where its results are withheld."""

    sampled: int
    answered: int
    #: Of those for it, by the first question that can be for or against.
    positive: Estimate | None

    @property
    def response_ratio(self) -> float:
        """Answered of those asked, in [0, 1]."""
        return self.answered / self.sampled


async def newest_results(
    session: AsyncSession, within: str, since: date, until: date, *, minimum: int
) -> dict[str, VillageResult]:
    """By village, from its newest survey closed from `since` on and before `until`.

    What is withheld from the public (`minimum`, and what would give it away) is withheld here too.
    """
    newest: dict[UUID, list[Any]] = defaultdict(list)
    for row in await repository.newest_closed(session, within, since, until):
        newest[row.survey_id].append(row)
    results: dict[str, VillageResult] = {}
    for survey_id, villages in newest.items():
        survey = await repository.find(session, survey_id)
        assert survey is not None  # a foreign key
        strata = await repository.strata(session, survey_id, survey.division_code)
        answered = {row.division_code: row.answered for row in strata}
        hidden = withheld(division_tree(survey.division_code, answered), minimum)
        positive = await _positive(session, survey, within)
        for row in villages:
            code = row.division_code
            n, of_it = positive.get(code, (0, 0))
            found = estimate([Stratum(code, row.households, n, of_it)])
            results[code] = VillageResult(
                row.sampled, answered[code], None if code in hidden else found
            )
    return results


async def _positive(
    session: AsyncSession, survey: Any, within: str
) -> Mapping[str, tuple[int, int]]:
    """Village → answers to the main question, and those of them that are for it."""
    questionnaire = await repository.questionnaire(session, survey.questionnaire_id)
    assert questionnaire is not None  # a foreign key
    questions = [Question.model_validate(each) for each in questionnaire.questions]
    main = next((question for question in questions if question.positive), None)
    counts: dict[str, tuple[int, int]] = {}
    for row in await repository.chosen(session, survey.id, within):
        if main is not None and row.question == main.code:
            n, of_it = counts.get(row.division_code, (0, 0))
            of_it += row.n if row.option in main.positive else 0
            counts[row.division_code] = (n + row.n, of_it)
    return counts
